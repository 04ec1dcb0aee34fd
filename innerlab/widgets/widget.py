"""What all widgets share: one front end in two homes, a picture for paper, and words for who sees neither."""

import json
from typing import ClassVar

import anywidget
from traitlets import Unicode

from innerlab.figures import described
from innerlab.widgets import scripts


class Widget(anywidget.AnyWidget):
    """An anywidget that also works on a page without a kernel.

    A subclass names its front end (``front/<name>.js``), declares what it shows as traits with ``sync=True``, and draws
    :meth:`picture`. A widget is displayed in two forms. A notebook shows the live one, in which changes of
    traits reach Python. The book shows a placeholder that holds the picture and all traits as JSON, on which the
    page's script mounts the same front end (``innerlab/widgets/front/mount.js``).

    What is drawn on the page must follow from the traits alone, and the traits from the arguments: the same run gives
    the same bytes.

    Attributes:
        front: the front end's name.
        alt: what the widget shows and what one can do with it, in a sentence or two.

    Raises:
        ValueError: if ``alt`` is too short to say anything.
    """

    front: ClassVar[str]
    alt = Unicode().tag(sync=True)

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if "front" in cls.__dict__:  # and not in the class that anywidget makes for each instance
            taken = set(cls.__dict__) & set(anywidget.AnyWidget.class_traits())
            if taken:
                raise TypeError(f"{cls.__name__} declares {sorted(taken)}, which every widget has already")
            cls._esm, cls._css = scripts.module(cls.front), scripts.style([cls.front])

    def __init__(self, *, alt: str, **traits):
        super().__init__(alt=described(alt), **traits)

    def picture(self) -> str:
        """The widget for paper and for browsers without scripts, as HTML with a text alternative."""
        raise NotImplementedError

    def state(self) -> dict:
        """The synchronized traits that the widget itself declares, by name."""
        own = set(self.traits(sync=True)) - set(anywidget.AnyWidget.class_traits())
        return {name: getattr(self, name) for name in sorted(own) if not name.startswith("_")}

    def html(self) -> str:
        """The placeholder for a page, as HTML: the picture, and the traits as JSON."""
        state = json.dumps(self.state(), ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<div class="innerlab-widget" data-innerlab="{self.front}">{self.picture()}'
            f'<script type="application/json">{state}</script></div>'
        )

    def _repr_mimebundle_(self, **options):
        live = super()._repr_mimebundle_(**options)
        assert live is not None  # only a widget without a view has none
        data, metadata = live
        return data | {"text/plain": self.alt, "text/html": self.html()}, metadata
