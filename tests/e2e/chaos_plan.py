"""What a run is to be: drawn from the seed and the run's number, and from nothing else."""

import dataclasses
import random

# Server and way to replicate, as the matrix has them. MHA 0.58 drives those of MHA_FAMILIES: newer
# MySQL has other words, and MariaDB's GTIDs it does not know.
FAMILIES = (("mariadb-10.11", "on"), ("mariadb-10.11", "off"), ("mariadb-11.8", "on"),
            ("mariadb-11.8", "off"), ("mysql-5.6", "on"), ("mysql-5.6", "off"), ("mysql-9.7", "on"))
MHA_FAMILIES = (("mariadb-10.11", "off"), ("mysql-5.6", "on"), ("mysql-5.6", "off"))

SWITCHES = ("switch", "mha-switch")
FAILOVERS = ("failover-killed", "failover-gone", "failover-frozen", "mha-failover")
OPERATIONS = SWITCHES + FAILOVERS

# The fetched MySQL 5.6 is the server alone, without plugins.
HAVE_SEMI_SYNC = ("mariadb", "mysql-9")
LOADS = ("writers", "idle", "reconnecting", "transaction", "lock-tables", "alter", "semi-sync")
# The others are in the way of most switches, and few faults would have their moment.
_WEIGHT_OF_LOAD = {"writers": 6, "idle": 3, "reconnecting": 3, "semi-sync": 2}

# Where a moment is counted from: the program's start, its first step, the new master's turn, the
# beginning of the undo. "start" is before all of these: before the program is started.
PLACES = ("start", "look", "steps", "handover", "undo")
# How many effects a moment lies behind its place at most: what is sent and written (die_at.cc).
_REACH = {"look": 120, "steps": 60, "handover": 40, "undo": 25}
# Of a hook under MHA, which is a process of its own for each of its turns.
_REACH_IN_HOOK = {"steps": 40, "handover": 12}


@dataclasses.dataclass(frozen=True)
class Kind:
    """A fault as the plan sees it: `targets` are roles, "" for none."""

    name: str
    targets: tuple[str, ...] = ("",)
    places: tuple[str, ...] = PLACES
    operations: tuple[str, ...] = OPERATIONS
    servers: tuple[str, ...] = ("mariadb", "mysql")
    weight: int = 2
    # Where it comes before the start: seconds at most until a dead master's failover begins.
    head_start: float = 0.0


@dataclasses.dataclass(frozen=True)
class Moment:
    place: str
    effect: int = 0
    # Seconds behind it, in which the program goes on; before the start, until it begins.
    later: float = 0.0

    def __str__(self) -> str:
        if self.place == "start":
            return "before the start" + f" by {self.later:g} s" * (self.later > 0)
        behind = f" and {self.later * 1000:.0f} ms" if self.later else ""
        return f"{self.place}+{self.effect}{behind}"


@dataclasses.dataclass(frozen=True)
class Fault:
    name: str
    target: str
    moment: Moment
    # Seconds after which it is lifted; None: once the program has ended.
    lasts: float | None

    def __str__(self) -> str:
        at = f" of {self.target}" if self.target else ""
        lasts = f", for {self.lasts:g} s" if self.lasts is not None else ""
        return f"{self.name}{at} at {self.moment}{lasts}"


@dataclasses.dataclass(frozen=True)
class Case:
    seed: int
    run: int
    server: str
    gtid: str
    operation: str
    load: str
    faults: tuple[Fault, ...]
    # What is run after a kill; and how a switch treats those in its way.
    answer: str
    kills_blockers: bool

    @property
    def is_switch(self) -> bool:
        return self.operation in SWITCHES

    @property
    def by_mha(self) -> bool:
        return self.operation.startswith("mha-")

    def __str__(self) -> str:
        return (f"run {self.run}: {self.server} gtid={self.gtid}, {self.operation}, load "
                f"{self.load}; " + "; ".join(map(str, self.faults)))


@dataclasses.dataclass(frozen=True)
class Wish:
    """What the command line leaves to be drawn; "": anything."""

    server: str = ""
    operation: str = ""
    fault: str = ""


def _moment(dice: random.Random, kind: Kind, operation: str, is_second: bool) -> Moment:
    # MHA's programs would be counted too; its hooks undo in processes of their own, and that for a
    # dead master hands nothing over.
    without = {"mha-switch": ("look", "undo"), "mha-failover": ("look", "undo", "handover")}
    places = [place for place in kind.places if place not in without.get(operation, ())]
    if is_second and "undo" in places and dice.random() < 0.5:
        places = ["undo"]
    elif not is_second and len(places) > 1:
        # Nobody undoes what has not failed.
        places = [place for place in places if place != "undo"]
    place = dice.choice(places)
    if place == "start":
        by = kind.head_start if operation in FAILOVERS else 0.0
        return Moment(place, later=round(dice.uniform(0, by), 1) if by else 0.0)
    later = dice.choice((0.0, 0.0, round(dice.uniform(0.001, 0.05), 3)))
    reach = _REACH_IN_HOOK if operation.startswith("mha-") else _REACH
    return Moment(place, dice.randrange(reach[place]), later)


def _fault(dice: random.Random, kinds: list[Kind], operation: str, is_second: bool) -> Fault:
    kind = dice.choices(kinds, [kind.weight for kind in kinds])[0]
    # Of a master that is dead already nothing more can be taken away, and it does not come back.
    targets = [target for target in kind.targets
               if target != "orig" or operation in SWITCHES] or [kind.targets[-1]]
    moment = _moment(dice, kind, operation, is_second)
    return Fault(kind.name, dice.choice(targets), moment,
                 dice.choice((None, None, 0.5, 2.0)))


def draw(seed: int, run: int, kinds: tuple[Kind, ...], wish: Wish = Wish()) -> Case:
    dice = random.Random(f"{seed}/{run}")
    operation = dice.choices(OPERATIONS, (8, 2, 3, 2, 2, 1))[0]
    if wish.operation:
        operation = wish.operation
    families = [family for family in (MHA_FAMILIES if operation.startswith("mha-") else FAMILIES)
                if family[0].startswith(wish.server)
                and any(family[0].startswith(kind.servers) for kind in kinds
                        if wish.fault in ("", kind.name))]
    if not families:
        raise ValueError(f"{operation} is not tried with {wish.server} and {wish.fault}")
    server, gtid = dice.choice(families)
    loads = [load for load in LOADS if load != "semi-sync" or server.startswith(HAVE_SEMI_SYNC)]
    load = dice.choices(loads, [_WEIGHT_OF_LOAD.get(one, 1) for one in loads])[0]
    able = [kind for kind in kinds if operation in kind.operations
            and server.startswith(kind.servers)]
    first = [kind for kind in able if not wish.fault or kind.name == wish.fault]
    if not first:
        raise ValueError(f"{wish.fault} is not tried with {operation}")
    faults = [_fault(dice, first, operation, False)]
    if dice.random() < 0.4:
        others = [kind for kind in able if kind.name != faults[0].name]
        faults.append(_fault(dice, others, operation, True))
    return Case(seed, run, server, gtid, operation, load, tuple(faults),
                dice.choice(("resume", "rollback")), dice.random() < 0.7)
