"""What answers on the page: widgets that are live in a notebook and need no kernel in the built book."""

from innerlab.widgets.deception_plane import DeceptionPlane
from innerlab.widgets.explore import Explore
from innerlab.widgets.flow import Flow
from innerlab.widgets.in_context import InContext
from innerlab.widgets.landscape import Landscape
from innerlab.widgets.maze_bench import MazeBench
from innerlab.widgets.predict import Predict
from innerlab.widgets.three_robots import ThreeRobots
from innerlab.widgets.widget import Widget

__all__ = [
    "DeceptionPlane",
    "Explore",
    "Flow",
    "InContext",
    "Landscape",
    "MazeBench",
    "Predict",
    "ThreeRobots",
    "Widget",
]
