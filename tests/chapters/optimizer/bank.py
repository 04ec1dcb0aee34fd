"""Answers to the exercises on what an optimizer is."""

import numpy as np
from banks import Bank, tensor

from innerlab.systems.mazes import draw_mazes

# Predict three more changes

MORE = ("mirrored", "turned", "no walls")
GUESS = {
    "table": dict.fromkeys(MORE, 0.2),
    "rule": dict.fromkeys(MORE, 0.5),
    "full table": dict.fromkeys(MORE, 1.0),
    "planner": dict.fromkeys(MORE, 1.0),
}


def prediction(**robots):
    """A prediction with some robots' shares replaced."""
    return f"prediction = {GUESS | {name.replace('_', ' '): shares for name, shares in robots.items()}}"


# What a thrifty search pays

ALL_WAYS = """
def expansions(next_cell, start, target):
    # level by level: all ways of so many steps that never cross themselves; the last limit stops half-way
    if start == target:
        return 0
    levels, ways = [], [[start]]
    while True:
        levels.append(ways)
        if any(target in next_cell[way[-1]] for way in ways):
            break
        ways = [[*way, there] for way in ways for there in next_cell[way[-1]] if there not in way]
    limit = len(levels)
    earlier = sum((limit - 1 - depth) * len(levels[depth]) for depth in range(limit))
    # in the last limit, depth first, until a cell at the lowest level sees the target
    stack, last = [[start]], 0
    while stack:
        way = stack.pop()
        last += 1
        if target in next_cell[way[-1]]:
            break
        if len(way) < limit:
            stack += [[*way, there] for there in reversed(next_cell[way[-1]]) if there not in way]
    return earlier + last
"""

DEEPENING = """
def expansions(next_cell, start, target):
    if {nothing}:
        return 0
    count, limit = 0, {first}
    while True:
        {forget}
        stack = [(start, (start,))]
        met = {{start}}
        while stack:
            cell, way = stack.pop()
            count += 1
            if target in next_cell[cell]:
                return {count}
            if len(way) < limit:
                for there in {order}(next_cell[cell]):
                    if {fresh}:
                        met.add(there)
                        stack.append((there, (*way, there)))
        limit += 1
"""


def deepening(nothing="start == target", first="1", forget="pass", count="count", order="reversed", **kind):
    """Iterative deepening with a stack, or a mistake in it."""
    kind = {"fresh": "there not in way"} | kind
    return DEEPENING.format(nothing=nothing, first=first, forget=forget, count=count, order=order, **kind)


BREADTH_FIRST = """
def expansions(next_cell, start, target):
    met, todo, count = {start}, [start], 0
    while target not in met:
        cell = todo.pop(0)
        count += 1
        for there in next_cell[cell]:
            if there not in met:
                met.add(there)
                todo.append(there)
    return RESULT
"""

# Bits, where outcomes tie

SORTED = """
def tied_bits(values, weights, n):
    total = sum(weights)
    by_worth = {}
    for value, weight in zip(values, weights):
        by_worth[value] = by_worth.get(value, 0) + weight / total
    below, bits = 0.0, 0.0
    for value in sorted(by_worth):
        if by_worth[value] > 0:
            upto = below + by_worth[value]
            bits += (upto**n - below**n) * -np.log2(1 - below)
            below = upto
    return bits
"""
CLASSES = """
def tied_bits(values, weights, n):
    values, chance = np.array(values, dtype=float), np.array(weights, dtype=float) / sum(weights)
    {before}
    bits = 0.0
    for value in set(values[chance > 0]):
        worse = chance[values < value].sum()
        good = chance[values {good} value].sum()
        at_most = chance[values <= value].sum()
        bits += {chance_kept} * {bits}
    return {result}
"""


def bits(before="pass", good=">=", chance_kept="(at_most**n - worse**n)", bits="-np.log2(good)", result="bits"):
    """The sum over worths, or a mistake in it."""
    return CLASSES.format(before=before, good=good, chance_kept=chance_kept, bits=bits, result=result)


# Down a ravine

DESCEND = """
def descend(matrix, start, rate, momentum, steps):
    x, v = start.clone(), torch.zeros_like(start)
    path = [x]
    for _ in range(steps):
        {velocity}
        {move}
        path.append(x)
    return torch.stack(path)
"""


def descend(velocity="v = momentum * v - rate * (matrix @ x)", move="x = x + v"):
    """Momentum, or a mistake in it."""
    return DESCEND.format(velocity=velocity, move=move)


# Climbing out

ESCAPE = """
def escape(loss, starts, budget):
    table = loss.tolist()
    known = {{}}

    def look(r, c):
        if (r, c) not in known and len(known) < budget:
            known[r, c] = table[r][c]

    for r, c in {starts}:
        look(r, c)
        while len(known) < budget:
            near = [{near}]
            near = [(i, j) for i, j in near if {inside}]
            for i, j in near:
                look(i, j)
            candidates = [p for p in near if p in known]
            best = {choose}
            if best is None or not {better}:
                break
            r, c = best
    return {result}
"""
FOUR = "(r - 1, c), (r + 1, c), (r, c - 1), (r, c + 1)"


def escape(
    starts="starts",
    near=FOUR,
    inside="0 <= i < len(table) and 0 <= j < len(table[0])",
    choose="min(candidates, key=known.get) if candidates else None",
    better="known[best] < known.get((r, c), float('inf'))",
    result="[list(p) for p in known]",
):
    """Hill climbing with restarts, or a mistake in it."""
    return ESCAPE.format(starts=starts, near=near, inside=inside, choose=choose, better=better, result=result)


# Evolution in ten lines

EVOLVE = """
def evolve(start, lowest, noise, parents, size, growth):
    mean, means = start.clone(), [start]
    for generation in range(len(noise)):
        young = {young}
        ranked = sorted(young, key=lambda x: {key})
        old = mean
        mean = {mean}
        {size}
        means.append(mean)
    return torch.stack(means)
"""
SUCCESS = "egg_crate(ranked[0], lowest) < egg_crate(old, lowest)"


def evolve(
    young="mean + size * noise[generation]",
    key="float(egg_crate(x, lowest))",
    mean="sum(ranked[:parents]) / parents",
    size=f"size *= growth if {SUCCESS} else 1 / growth",
):
    """The evolution strategy, or a mistake in it."""
    return EVOLVE.format(young=young, key=key, mean=mean, size=size)


# Distil, and find where it fails

DISTILLED = """
seen = [[0] * 4 for _ in range(144)]
for maze in mazes:
    for cell in {cells}:
        if cell != maze.target:
            seen[view(maze, cell)][planner(maze, cell)] += 1
table = [{entry} for counts in seen]


def tries():
    for maze in mazes:
        for cell in range(49):
            if cell not in (maze.start, maze.target):
                wall = maze.wall.copy()
                wall[cell] = not wall[cell]
                yield replace(maze, wall=wall)


def lost(maze):
    if not breadth_first(maze, maze.start).buttons:
        return False
    cell, been = maze.start, set()
    while cell not in been and cell != maze.target:
        been.add(cell)
        if table[view(maze, cell)] < 0:
            return False
        cell = maze.next_cell[cell][table[view(maze, cell)]]
    return cell != maze.target


found = [maze for maze in tries() if {wanted}]
distilled = {{"table": table, "maze": {maze}}}
"""


def distilled(
    cells="maze.open_cells",
    entry="max(range(4), key=counts.__getitem__) if any(counts) else -1",
    wanted="lost(maze)",
    maze="draw_text(found[-1])",
):
    """A table by counting, and a maze by trying, or a mistake in it."""
    return DISTILLED.format(cells=cells, entry=entry, wanted=wanted, maze=maze)


NEW_VIEW = """
def meets_a_new_view(maze):
    way = walk(lambda maze, cell: max(table[view(maze, cell)], 0), maze, 100)
    return bool(breadth_first(maze, maze.start).buttons) and any(table[view(maze, cell)] < 0 for cell in way[:-1])
"""

# Ten systems

SOLVED = {
    "1": "optimizer",
    "2": "amortized",
    "3": "control",
    "4": "optimized for",
    "5": "cannot tell",
    "6": "optimizer",
    "7": "none",
    "8": "optimizer",
    "9": "amortized",
    "10": "control",
}


def systems(**changed):
    """The right labels but for these systems, written as s1, s2 and so on."""
    return f"systems = {SOLVED | {name[1:]: label for name, label in changed.items()}}"


# Build the impostor

IMPOSTOR = """
tables = {{}}
for maze in three:
    cases = changes(maze)
    for change, each in {{"as trained": [maze], **cases}}.items():
        if change in {leaves_out}:
            continue
        for case in each:
            reads = {reads}
            for cell in walk(planner, case, 60)[:-1]:
                words = " ".join(sheet(case, cell)[field] for field in reads)
                tables.setdefault(tuple(reads), {{}})[words] = planner(case, cell)
order = sorted(tables, key=lambda reads: "walls" not in reads)
impostor = [{{"reads": list(reads), "entries": tables[reads]}} for reads in order]
"""
TWO_TABLES = (
    '["walls", "buttons", "target", "cell"] if change in ("new wall", "reversed buttons") else '
    '["maze", "target", "cell"]'
)


def impostor(reads=TWO_TABLES, leaves_out=()):
    """What the planner pressed in the cases of the test, indexed in some way, but for some changes."""
    return IMPOSTOR.format(reads=reads, leaves_out=leaves_out)


THREE_TABLES = """
base, walls, turned = {}, {}, {}
for maze in three:
    tried = changes(maze)
    for case in [maze] + tried["new target"] + tried["new start"]:
        cell = case.start
        for button in breadth_first(case, case.start).buttons:
            base[f"{case.target} {maze.name} {cell}"] = np.int64(button)
            cell = case.next_cell[cell][button]
    for case in tried["new wall"]:
        for cell in walk(planner, case, 60)[:-1]:
            walls[f'{cell} {sheet(case, cell)["walls"]}'] = planner(case, cell)
    for case in tried["reversed buttons"]:
        for cell in walk(planner, case, 60)[:-1]:
            turned[f"1032 {maze.name} {cell}"] = planner(case, cell)
impostor = [
    {"reads": ["buttons", "maze", "cell"], "entries": turned},
    {"reads": ["cell", "walls"], "entries": walls},
    {"reads": ["target", "maze", "cell"], "entries": base},
]
"""

# Opened

OPENED = """
opened = {}
for name in "ABCD":
    robot = sealed[name]
    found = {}
    for what, most, memory in SWITCHES:
        hits = 0
        for case in tests:
            def presses(maze, cell):
                return robot.decide(maze, cell, most, memory).button
            hits += arrives(presses, case)
        found[what] = hits / len(tests)
    opened[name] = found
for name, verdict in zip("ABCD", VERDICTS):
    opened[name]["verdict"] = verdict
"""
SWITCHES = (("without search", 0, True), ("without memory", None, False), ("without either", 0, False))


def opened(*verdicts, switches=SWITCHES):
    """The shares as measured with some switches, and the verdicts on A to D."""
    verdicts = verdicts or ("impostor", "planner", "both", "impostor")
    return OPENED.replace("SWITCHES", repr(switches)).replace("VERDICTS", repr(verdicts))


# A fourth robot

DIAGNOSIS = """
def share(test, robot, change):
    cases = [case for maze in mazes for case in changes(maze)[change]]
    return sum(bool(test(robot, case)) for case in cases) / len(cases)


def visits(robot, case):
    old = next(maze for maze in mazes if maze.name == case.name).target
    return {visited} in walk(robot, case, 60)


diagnosis = {{
    "arrives": {{change: share(arrives, {robot}, change) for change in CHANGES}},
    "visits": {{"fourth": share(visits, fourth, "new target"), "planner": share(visits, planner, "new target")}},
    "explanation": "{explanation}",
    "search": "{search}",
}}
"""


def diagnosis(explanation="old target", search="open", robot="fourth", visited="old"):
    """What was measured, and what is said about it."""
    return DIAGNOSIS.format(explanation=explanation, search=search, robot=robot, visited=visited)


TOLD = {
    "arrives": {"new wall": 1, "new target": 0, "new start": 1, "reversed buttons": 1},
    "visits": {"fourth": 1, "planner": 0.1},
    "explanation": "old target",
    "search": "open",
}


def told(**changed):
    """A diagnosis written down, with something in it replaced."""
    return f"diagnosis = {TOLD | changed}"


BANKS = {
    "prediction": Bank(
        right=(
            prediction(),
            prediction(table={"mirrored": 0, "turned": 1, "no walls": 0.25}),
            f"prediction = {{name: {{k: np.float32(v) for k, v in s.items()}} for name, s in {GUESS}.items()}}",
        ),
        wrong=(
            ("a-search-that-misses", prediction(planner={"mirrored": 1, "turned": 0.1, "no walls": 1})),
            ("a-search-that-misses", prediction(planner={"mirrored": 0.9, "turned": 1, "no walls": 1})),
            ("a-search-that-misses", prediction(planner={"mirrored": 1, "turned": 1, "no walls": 0})),
            ("out-of-range", prediction(rule={"mirrored": 100, "turned": 0, "no walls": 100})),
            ("out-of-range", prediction(rule={"mirrored": 1, "turned": -0.1, "no walls": 1})),
            ("wrong-type", prediction(rule=0.5)),
            ("wrong-type", prediction(rule={"mirrored": 1, "turned": 0})),
            ("not-finite", "prediction = " + str(GUESS).replace("0.5", "float('nan')")),
        ),
    ),
    "expansions": Bank(
        right=(deepening(), ALL_WAYS),
        wrong=(
            ("breadth-first", BREADTH_FIRST.replace("RESULT", "count")),
            ("cells-met", BREADTH_FIRST.replace("RESULT", "len(met) if start != target else 0")),
            ("last-limit-only", deepening(forget="count = 0")),
            ("never-back", deepening(fresh="there not in met")),
            ("in-circles", deepening(fresh="True")),
            ("one-limit-off", deepening(first="2")),
            ("one-too-many", deepening(first="0")),
            ("one-too-many", deepening(count="count + 1")),
            ("nothing-to-do", deepening(nothing="False")),
            ("nothing-to-do", deepening().replace("return 0", "return 1")),
            ("another-count", deepening(count="2 * count")),
            ("another-count", deepening(order="")),
            ("length-of-way", deepening(count="limit")),
            ("wrong-type", deepening(count="[count]")),
            ("raises", "def expansions(maze):\n    return breadth_first(maze, maze.start).expansions"),
            (
                "changed-input",
                deepening().replace("while True:", "while next_cell.append([]) is None:", 1),
            ),
        ),
    ),
    "tied_bits": Bank(
        right=(SORTED, bits()),
        wrong=(
            ("ties-broken", bits(before="values = np.argsort(np.argsort(values, kind='stable'))")),
            ("weights-ignored", bits(before="chance = np.ones(len(values)) / len(values)")),
            ("natural-logarithm", bits(bits="-np.log(good)")),
            ("bits-of-the-mean", bits(bits="good", result="-np.log2(bits)")),
            (
                "continuum",
                "def tied_bits(values, weights, n):\n    return sum(1 / k for k in range(1, n + 1)) / np.log(2)",
            ),
            ("n-ignored", bits(chance_kept="(at_most - worse)")),
            ("n-times-one", bits(chance_kept="n * (at_most - worse)")),
            ("other-way-round", bits(good="<=")),
            ("worst-kept", bits(chance_kept="(good**n - (1 - at_most)**n)")),
            ("ties-left-out", bits(good=">", bits="(-np.log2(good) if good > 0 else 0.0)")),
            ("not-finite", bits(good=">", bits="(-np.log2(good) if good > 0 else float('inf'))")),
            (
                "nearly",
                """
                def tied_bits(values, weights, n):
                    values, chance = np.array(values), np.array(weights) / np.sum(weights)
                    best = np.random.default_rng(0).choice(values, size=(20_000, n), p=chance).max(1)
                    good = np.array([chance[values >= value].sum() for value in values])
                    share = dict(zip(values.tolist(), good))
                    return -np.mean(np.log2([share[value] for value in best.tolist()]))
                """,
            ),
            ("another-number", bits(result="2 * bits")),
            ("wrong-type", bits(result="[bits, bits]")),
        ),
    ),
    "descend": Bank(
        right=(
            descend(),
            """
            def descend(matrix, start, rate, momentum, steps):
                x = torch.nn.Parameter(start.clone())
                sgd, path = torch.optim.SGD([x], lr=rate, momentum=momentum), [start.clone()]
                for _ in range(steps):
                    sgd.zero_grad()
                    (x @ matrix @ x / 2).backward()
                    sgd.step()
                    path.append(x.detach().clone())
                return torch.stack(path)
            """,
        ),
        wrong=(
            ("no-momentum", descend("v = -rate * (matrix @ x)")),
            ("nesterov", descend("v = momentum * v - rate * (matrix @ (x + momentum * v))")),
            ("dampened", descend("v = momentum * v - (1 - momentum) * rate * (matrix @ x)")),
            ("uphill", descend("v = momentum * v + rate * (matrix @ x)")),
            ("twice-the-slope", descend("v = momentum * v - rate * 2 * (matrix @ x)")),
            ("half-the-slope", descend("v = momentum * v - rate * (matrix @ x) / 2")),
            ("old-velocity", descend("x, v = x + v, momentum * v - rate * (matrix @ x)", "pass")),
            ("never-moves", descend(move="pass")),
            ("another-path", descend(move="x = x - rate * (matrix @ x) + momentum * v")),
            ("start-missing", descend().replace("path = [x]", "path = [0 * x]")),
            ("wrong-shape", descend().replace("path = [x]", "path = []")),
            ("wrong-shape", descend().replace("torch.stack(path)", "x")),
            ("changed-input", descend().replace("start.clone()", "start").replace("x = x + v", "x += v")),
        ),
    ),
    "tuned": Bank(
        right=(
            "tuned = {'rate': 0.02, 'momentum': 0.75}",
            """
            def left(rate, momentum, steps=60):
                worst = 0.0
                for k in (1.0, 100.0):
                    x, v = 1.0, 0.0
                    for _ in range(steps):
                        v = momentum * v - rate * k * x
                        x = x + v
                    worst = max(worst, x * x)
                return worst

            grid = [(left(r, m), r, m) for r in np.linspace(0.001, 0.06, 60) for m in np.linspace(0, 0.98, 50)]
            _, rate, momentum = min(grid)
            tuned = {"rate": rate, "momentum": momentum}
            """,
        ),
        wrong=(
            ("without-momentum", "tuned = {'rate': 2 / 101, 'momentum': 0.0}"),
            ("diverges", "tuned = {'rate': 0.1, 'momentum': 0.9}"),
            ("diverges", "tuned = {'rate': -0.02, 'momentum': 0.7}"),
            ("diverges", "tuned = {'rate': 1e300, 'momentum': 1e300}"),
            ("slow-along-the-floor", "tuned = {'rate': 0.005, 'momentum': 0.5}"),
            ("slow-along-the-floor", "tuned = {'rate': 0.0001, 'momentum': 0.9}"),
            ("swings-across", "tuned = {'rate': 0.038, 'momentum': 0.93}"),
            ("wrong-type", "tuned = (0.03, 0.67)"),
            ("not-finite", "tuned = {'rate': float('inf'), 'momentum': 0.5}"),
        ),
    ),
    "escape": Bank(
        right=(
            escape(),
            """
            def escape(loss, starts, budget):
                seen, order = torch.zeros(loss.shape, dtype=torch.bool), []

                def look(point):
                    if not seen[point] and len(order) < budget:
                        seen[point] = True
                        order.append(point)

                def sides(r, c):
                    for dr, dc in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                        if 0 <= r + dr < loss.shape[0] and 0 <= c + dc < loss.shape[1]:
                            yield r + dr, c + dc

                for start in starts:
                    here = tuple(start)
                    look(here)
                    moving = True
                    while moving and len(order) < budget:
                        moving, there = False, here
                        for point in sides(*here):
                            look(point)
                            if loss[point] < loss[there]:
                                there, moving = point, True
                        here = there
                return order
            """,
        ),
        wrong=(
            ("stays-stuck", escape(starts="starts[:1]")),
            (
                "sideways",
                escape(better="(known[best] <= known[r, c] and best not in stood)")
                .replace(
                    "        look(r, c)\n        while", "        look(r, c)\n        stood = {(r, c)}\n        while"
                )
                .replace("            r, c = best", "            r, c = best\n            stood.add(best)"),
            ),
            (
                "uphill",
                escape(
                    choose="max(candidates, key=known.get) if candidates else None", better="known[best] > known[r, c]"
                ),
            ),
            ("diagonal", escape(near=FOUR + ", (r - 1, c - 1), (r - 1, c + 1), (r + 1, c - 1), (r + 1, c + 1)")),
            ("around-the-edge", escape(near="(i % len(table), j % len(table[0])) for i, j in (" + FOUR + ")")),
            ("off-the-table", escape(inside="i < len(table) and j < len(table[0])")),
            ("order-of-looks", escape(near="(r, c - 1), (r, c + 1), (r - 1, c), (r + 1, c)")),
            ("forgets-the-known", escape(near="p for p in (" + FOUR + ") if p not in known")),
            (
                "first-lower",
                escape().replace(
                    "                look(i, j)\n            candidates = [p for p in near if p in known]",
                    "                look(i, j)\n"
                    "                if known.get((i, j), float('inf')) < known[r, c]:\n"
                    "                    break\n"
                    "            candidates = [p for p in near if p in known and known[p] < known[r, c]][:1]",
                ),
            ),
            ("over-budget", escape().replace(" and len(known) < budget:", ":")),
            ("paid-twice", escape(result="[list(p) for p in known] + [list(starts[0])]")),
            ("paid-twice", escape(result="([list(p) for p in known] * 2)[:budget]")),
            ("stops-early", escape(result="[list(p) for p in known][:max(1, len(known) - 1)]")),
            (
                "leaves-out-a-start",
                escape().replace(
                    "        look(r, c)\n        while",
                    "        if (r, c) in known:\n            continue\n        look(r, c)\n        while",
                ),
            ),
            (
                "looks-elsewhere",
                "def escape(loss, starts, budget):\n"
                "    cells = [(r, c) for r in range(loss.shape[0]) for c in range(loss.shape[1])]\n"
                "    return cells[:budget]",
            ),
            ("wrong-type", escape(result="len(known)")),
            ("wrong-shape", escape(result="[]")),
        ),
    ),
    "evolve": Bank(
        right=(
            evolve(),
            """
            def evolve(start, lowest, noise, parents, size, growth):
                means = start[None]
                for luck in noise.numpy():
                    old = means[-1].numpy()
                    young = old + size * luck
                    loss = egg_crate(torch.tensor(young), lowest).numpy()
                    best = np.argsort(loss)[:parents]
                    won = loss[best[0]] < float(egg_crate(means[-1], lowest))
                    size = size * growth ** (1 if won else -1)
                    means = torch.cat([means, torch.tensor(young[best].mean(0, keepdims=True))])
                return means.numpy().tolist()
            """,
        ),
        wrong=(
            (
                "selects-the-worst",
                evolve(
                    mean="sum(ranked[::-1][:parents]) / parents",
                ),
            ),
            ("only-the-best", evolve(mean="ranked[0]")),
            ("no-selection", evolve(mean="sum(ranked) / len(ranked)")),
            ("size-never-changes", evolve(size="pass")),
            ("size-wrong-way", evolve(size=f"size *= 1 / growth if {SUCCESS} else growth")),
            ("size-only-grows", evolve(size=f"size *= growth if {SUCCESS} else 1")),
            (
                "elitist",
                evolve(mean="min([mean, sum(ranked[:parents]) / parents], key=lambda x: float(egg_crate(x, lowest)))"),
            ),
            ("all-from-the-start", evolve(young="start + size * noise[generation]")),
            (
                "compared-with-the-new",
                evolve(size=f"size *= growth if {SUCCESS.replace('old', 'mean')} else 1 / growth"),
            ),
            (
                "compared-means",
                evolve(size="size *= growth if egg_crate(mean, lowest) < egg_crate(old, lowest) else 1 / growth"),
            ),
            (
                "compared-with-the-record",
                evolve(
                    size="now = egg_crate(ranked[0], lowest); size *= growth if now < record else 1 / growth; "
                    "record = min(record, now)"
                ).replace(
                    "means = start.clone(), [start]",
                    "means = start.clone(), [start]\n    record = egg_crate(start, lowest)",
                ),
            ),
            ("another-path", evolve(young="mean + size**2 * noise[generation]")),
            ("another-path", evolve(young="mean + noise[generation]")),
            ("start-missing", evolve().replace("[start]", "[0 * start]")),
            ("wrong-shape", evolve().replace("[start]", "[]")),
            ("wrong-shape", evolve().replace("torch.stack(means)", "mean")),
        ),
    ),
    "distilled": Bank(
        right=(
            distilled(),
            distilled(maze="'\\n'.join('  ' + ' '.join(row).replace(' ', '') for row in draw_text(found[0]).split())"),
        ),
        wrong=(
            ("leaves-out-views", distilled(cells="walk(planner, maze, 60)[:-1]", maze="draw_text(mazes[0])")),
            ("knows-the-unseen", distilled(entry="max(range(4), key=counts.__getitem__)")),
            ("not-the-majority", distilled(entry="next((b for b in range(4) if counts[b]), -1)")),
            (
                "not-the-majority",
                distilled(
                    entry="min(range(4), key=counts.__getitem__) if any(counts) else -1", maze="draw_text(mazes[0])"
                ),
            ),
            (
                "arrives-after-all",
                distilled(
                    wanted="breadth_first(maze, maze.start).buttons and maze.target in "
                    "walk(lambda m, c: max(table[view(m, c)], 0), maze, 90)"
                ),
            ),
            ("no-way-left", distilled(wanted="not breadth_first(maze, maze.start).buttons")),
            ("a-new-view", distilled(wanted="meets_a_new_view(maze)").replace("found =", NEW_VIEW + "\nfound =")),
            ("not-one-cell", distilled(maze="draw_text(mazes[0])")),
            ("not-one-cell", distilled(maze="draw_text(draw_mazes(1, 7, 4, 77)[0])")),
            ("not-a-training-maze", distilled(maze="draw_text(draw_mazes(1, 5, 2, 77)[0])")),
            ("unreadable", distilled(maze="draw_text(found[0]).replace('A', '.')")),
            ("unreadable", distilled(maze="'no maze'")),
            ("wrong-shape", distilled().replace('"table": table', '"table": table[:100]')),
            ("wrong-type", distilled(maze="found[0]")),
        ),
    ),
    "systems": Bank(
        right=(
            systems(),
            "systems = dict(zip(map(str, range(1, 11)), " + repr(list(SOLVED.values())) + "))",
        ),
        wrong=(
            ("purpose-taken-for-search", systems(s3="optimizer")),
            ("purpose-taken-for-search", systems(s10="optimizer")),
            ("optimized-taken-for-optimizer", systems(s4="optimizer")),
            ("success-taken-for-search", systems(s5="optimizer")),
            ("stored-answers-taken-for-search", systems(s2="optimizer")),
            ("stored-answers-taken-for-search", systems(s9="optimizer")),
            ("going-somewhere-taken-for-search", systems(s7="optimizer")),
            ("going-somewhere-taken-for-search", systems(s7="optimized for")),
            ("failure-taken-for-no-search", systems(s8="none")),
            ("failure-taken-for-no-search", systems(s8="amortized")),
            ("search-missed", systems(s6="amortized")),
            ("search-missed", systems(s1="control")),
            ("inside-told", systems(s6="cannot tell")),
            ("system-9", systems(s9="cannot tell")),
            ("search-missed", "systems = {str(n): 'amortized' for n in range(1, 11)}"),
            ("wrong-type", systems(s4="evolution")),
            ("wrong-type", "systems = ['optimizer'] * 10"),
            ("wrong-type", "systems = {n: 'optimizer' for n in range(1, 11)}"),
        ),
    ),
    "impostor": Bank(
        right=(impostor(), THREE_TABLES),
        wrong=(
            ("too-much-memory", impostor('["walls", "buttons", "target", "start", "cell"]')),
            ("new-wall", impostor('["maze", "buttons", "target", "cell"]')),
            ("new-wall", impostor(leaves_out=("new wall",))),
            ("reversed", impostor(leaves_out=("reversed buttons",))),
            ("new-target", impostor(leaves_out=("new target",))),
            ("new-start", impostor(leaves_out=("new start",))),
            ("fails-as-trained", "impostor = example"),
            ("fails-as-trained", impostor('["maze", "cell"]')),
            ("words-do-not-fit", impostor().replace('" ".join', '",".join')),
            ("fails-as-trained", "impostor = [{'reads': ['cell'], 'entries': {}}]"),
            ("wrong-type", impostor('["maze", "color"]').replace("sheet(case, cell)[field]", "field")),
            ("wrong-type", impostor().replace("= planner(case, cell)", "= 'up'")),
            (
                "wrong-type",
                impostor()
                .replace("impostor = [", "impostor = [planner for _ in ")
                .replace('{"reads": list(reads), "entries": tables[reads]} for reads in order]', "range(1)]"),
            ),
            ("out-of-range", impostor().replace("= planner(case, cell)", "= 7")),
            ("out-of-range", "impostor = [{'reads': ['cell'], 'entries': {str(n): 0 for n in range(30_000)}}]"),
            ("wrong-shape", "impostor = [{'reads': ['cell'], 'entries': {}}] * 7"),
        ),
    ),
    "opened": Bank(
        right=(
            opened(),
            """
            opened = {}
            for name, robot in sealed.items():
                off = [arriving(robot, most=0), arriving(robot, memory=False), arriving(robot, most=0, memory=False)]
                verdict = {(1, 0): "impostor", (0, 1): "planner", (1, 1): "both"}[round(off[0]), round(off[1])]
                opened[name] = dict(zip(["without search", "without memory", "without either"], off), verdict=verdict)
            """,
        ),
        wrong=(
            ("work-is-not-the-cause", opened("planner", "planner", "both", "impostor")),
            ("work-is-not-the-cause", opened("both", "planner", "both", "impostor")),
            ("stored-is-not-used", opened("impostor", "impostor", "both", "impostor")),
            ("stored-is-not-used", opened("impostor", "both", "both", "impostor")),
            ("one-switch-at-a-time", opened("impostor", "planner", "impostor", "impostor")),
            ("one-switch-at-a-time", opened("impostor", "planner", "planner", "impostor")),
            ("not-what-the-numbers-say", opened("impostor", "planner", "both", "both")),
            (
                "not-what-we-find",
                opened(
                    switches=(
                        ("without search", None, False),
                        ("without memory", 0, True),
                        ("without either", 0, False),
                    )
                ),
            ),
            (
                "not-what-we-find",
                opened(
                    switches=(
                        ("without search", 10, True),
                        ("without memory", None, False),
                        ("without either", 10, False),
                    )
                ),
            ),
            ("wrong-type", opened("table", "planner", "both", "table")),
            ("out-of-range", opened().replace("hits / len(tests)", "100 * hits / len(tests)")),
        ),
    ),
    "diagnosis": Bank(
        right=(
            diagnosis(),
            told(),
        ),
        wrong=(
            ("memory-would-have-failed", told(explanation="remembers")),
            ("a-rule-would-have-failed", told(explanation="reacts")),
            ("an-old-map-would-have-failed", told(explanation="old map")),
            ("behavior-taken-for-search", told(search="yes")),
            ("failure-taken-for-no-search", told(search="no")),
            ("not-what-we-find", diagnosis(robot="planner")),
            ("another-place", diagnosis(visited="case.target")),
            ("another-place", diagnosis(visited="case.start")),
            ("wrong-type", told(explanation="it is lost")),
            ("wrong-type", told(search="perhaps")),
            (
                "out-of-range",
                told(arrives={"new wall": 68, "new target": 0, "new start": 852, "reversed buttons": 32}),
            ),
        ),
    ),
}


# Inputs for the mutants that do not come from the checks


def fresh_expansions(random):
    if random.random() < 0.5:
        maze = draw_mazes(1, 5, int(random.integers(4)), int(random.integers(2**31)))[0]
        return {"next_cell": maze.next_cell, "start": maze.start, "target": int(random.choice(maze.open_cells))}
    cells = int(random.integers(2, 7))
    next_cell = random.integers(cells, size=(cells, 4))
    next_cell[:, random.integers(4)] = (np.arange(cells) + 1) % cells  # some way is always there
    start, target = (int(cell) for cell in random.integers(cells, size=2))
    return {"next_cell": next_cell.tolist(), "start": start, "target": target}


def fresh_tied_bits(random):
    many = int(random.integers(1, 9))
    weights = random.random(many) * (random.random(many) < 0.8)
    weights[random.integers(many)] = 1.0
    values = random.choice([-1.5, 0.0, 2.0, 7.0], many) if random.random() < 0.5 else random.normal(size=many)
    return {"values": values.tolist(), "weights": weights.tolist(), "n": int(random.integers(1, 30))}


def fresh_descend(random):
    dimensions = int(random.integers(1, 6))
    matrix = random.normal(size=(dimensions, dimensions))
    return {
        "matrix": tensor(matrix + matrix.T),
        "start": tensor(random.normal(size=dimensions)),
        "rate": float(random.choice([0.0, random.random()])),
        "momentum": float(random.choice([0.0, 1.0, random.random()])),
        "steps": int(random.integers(6)),
    }


def fresh_escape(random):
    rows, columns = (int(n) for n in random.integers(1, 7, 2))
    loss = random.integers(4, size=(rows, columns)) if random.random() < 0.5 else random.normal(size=(rows, columns))
    starts = [[int(random.integers(rows)), int(random.integers(columns))] for _ in range(random.integers(1, 6))]
    return {"loss": tensor(loss), "starts": starts, "budget": int(random.integers(1, 40))}


def fresh_evolve(random):
    generations, children, dimensions = (int(n) for n in random.integers(1, 7, 3))
    return {
        "start": tensor(3 * random.normal(size=dimensions)),
        "lowest": tensor(random.normal(size=dimensions)),
        "noise": tensor(random.normal(size=(generations, children, dimensions))),
        "parents": int(random.integers(1, children + 1)),
        "size": float(random.uniform(0.05, 2)),
        "growth": float(random.uniform(1.01, 2)),
    }


FRESH = {
    "expansions": fresh_expansions,
    "tied_bits": fresh_tied_bits,
    "descend": fresh_descend,
    "escape": fresh_escape,
    "evolve": fresh_evolve,
}
