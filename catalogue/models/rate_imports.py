"""Rate files, what they do to a rate table, and how files of a provider's vendors are laid out."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Lower

from catalogue.models.rate_tables import RateTable, TimeProfile
from catalogue.rules.rate_layouts import ImportOptions, Layout
from catalogue.rules.rate_row_classes import RowAction
from catalogue.rules.rate_row_classes import RowClass as Compared
from common.tries import Tried
from tenancy.owned import ProviderOwned


class RateFileTemplate(ProviderOwned):
    """How the files of one vendor are laid out, and what is done with them, for the next one."""

    name = models.CharField(max_length=100)
    layout = models.JSONField()
    options = models.JSONField()
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint("provider", Lower("name"), name="rate_file_template_unique"),
        ]

    def __str__(self) -> str:
        return self.name


class RateImport(Tried, ProviderOwned):
    """A rate file sent for a table, from its upload until it is written, thrown away or undone.

    It is RECEIVED until somebody has said how to read it. Then its rows are COMPARED with the table
    of that `revision`, and written only while the table still has it; as stashed rates they wait in
    the table to be confirmed. One import of a table is being worked on at a time. `touched_at` is
    when its work was last queued or went on; `counts` are rows by class.
    """

    class State(models.TextChoices):
        RECEIVED = "RECEIVED"
        COMPARING = "COMPARING"
        COMPARED = "COMPARED"
        WRITING = "WRITING"
        DONE = "DONE", "Imported"
        STASHED = "STASHED"
        CONFIRMING = "CONFIRMING"
        DISCARDING = "DISCARDING", "Throwing away"
        DISCARDED = "DISCARDED", "Thrown away"
        UNDOING = "UNDOING"
        UNDONE = "UNDONE"
        FAILED = "FAILED", "Refused"

    WORKING = ("COMPARING", "WRITING", "CONFIRMING", "DISCARDING", "UNDOING")

    rate_table = models.ForeignKey(RateTable, on_delete=models.PROTECT, related_name="rate_imports")
    name = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    stored_name = models.CharField(max_length=100)
    kept_layout = models.JSONField(null=True)
    kept_options = models.JSONField(null=True)
    state = models.CharField(max_length=10, choices=State.choices, default=State.RECEIVED)
    error = models.TextField(blank=True)
    revision = models.PositiveBigIntegerField(null=True)
    counts = models.JSONField(default=dict)
    read_count = models.PositiveIntegerField(default=0)
    touched_at = models.DateTimeField()
    received_at = models.DateTimeField()
    received_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    written_at = models.DateTimeField(null=True)
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )
    ended_at = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["rate_table"],
                condition=models.Q(
                    state__in=["COMPARING", "WRITING", "CONFIRMING", "DISCARDING", "UNDOING"]
                ),
                name="one_rate_import_at_work",
            ),
        ]
        indexes = [
            models.Index(fields=["rate_table", "received_at", "id"], name="rate_import_by_table"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def layout(self) -> Layout | None:
        """How the file is to be read; None until somebody said so."""
        return None if self.kept_layout is None else Layout.from_json(self.kept_layout)

    @property
    def options(self) -> ImportOptions:
        """What is to be done with the rows."""
        if self.kept_options is None:
            return ImportOptions()
        return ImportOptions.from_json(self.kept_options)

    @property
    def is_working(self) -> bool:
        """Whether a worker has it, or is to have it."""
        return self.state in self.WORKING

    def count(self, row_class: Compared) -> int:
        """How many rows are of a class."""
        return int(self.counts.get(row_class.value, 0))


class RateImportRow(ProviderOwned):
    """What one rate of a file, or its absence, does to the table; written rows are the journal.

    `rate_id` is the id that an added rate has, or will have; `target_id` that of a rate of the
    table which is replaced, closed or stashed, and `before` what it was, column by column. Rows
    without a `line` are rates that the file does not have. A wrong row has its prefix as written,
    and `wrong_field` and `error` say why.
    """

    class RowClass(models.TextChoices):
        NEW = Compared.NEW.value
        INCREASED = Compared.INCREASED.value
        DECREASED = Compared.DECREASED.value
        CHANGED = Compared.CHANGED.value
        UNCHANGED = Compared.UNCHANGED.value
        CLOSED = Compared.CLOSED.value
        STASHED = Compared.STASHED.value
        DUPLICATE = Compared.DUPLICATE.value
        ERROR = Compared.ERROR.value

    class Action(models.TextChoices):
        NOTHING = RowAction.NOTHING.value
        INSERT = RowAction.INSERT.value
        REPLACE = RowAction.REPLACE.value
        CLOSE = RowAction.CLOSE.value
        STASH = RowAction.STASH.value

    pk = models.CompositePrimaryKey("rate_import_id", "number")
    rate_import = models.ForeignKey(
        RateImport,
        on_delete=models.CASCADE,
        related_name="rows",
        db_constraint=False,
        db_index=False,
    )
    provider = models.ForeignKey(
        "tenancy.Provider",
        on_delete=models.PROTECT,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    number = models.PositiveIntegerField()
    sheet = models.CharField(max_length=100)
    line = models.PositiveIntegerField(null=True)
    row_class = models.CharField(max_length=9, choices=RowClass.choices)
    action = models.CharField(max_length=7, choices=Action.choices, blank=True)
    wrong_field = models.CharField(max_length=20)
    error = models.CharField(max_length=300)
    before_rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    rate_id = models.BigIntegerField(null=True)
    target_id = models.BigIntegerField(null=True)
    before = models.JSONField(null=True)
    prefix = models.CharField(max_length=40)
    destination = models.CharField(max_length=120)
    effective_from = models.DateTimeField(null=True)
    effective_to = models.DateTimeField(null=True)
    rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    initial_rate = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    connection_fee = models.DecimalField(max_digits=18, decimal_places=8)
    minimum = models.PositiveIntegerField()
    increment = models.PositiveIntegerField()
    grace = models.PositiveIntegerField()
    steps = models.CharField(max_length=400)
    min_cost = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    max_cost = models.DecimalField(max_digits=18, decimal_places=8, null=True)
    attempt_fee = models.DecimalField(max_digits=18, decimal_places=8)
    time_profile = models.ForeignKey(
        TimeProfile,
        on_delete=models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
        db_index=False,
    )
    policy = models.CharField(max_length=8)
    tag = models.CharField(max_length=40)
    origin_prefix = models.CharField(max_length=15)
    min_digits = models.PositiveSmallIntegerField(null=True)
    max_digits = models.PositiveSmallIntegerField(null=True)
    status = models.CharField(max_length=7)

    class Meta:
        indexes = [
            models.Index(
                fields=["rate_import", "row_class", "number"], name="rate_import_row_by_class"
            ),
        ]
