"""The types of ``report.json``, and its JSON schema: ``python -m reports.page.schema > docs/report.schema.json``."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import ConfigDict, Field, TypeAdapter, with_config
from pydantic.json_schema import GenerateJsonSchema
from typing_extensions import TypedDict  # pydantic takes that of typing from Python 3.12 on

from reports.page.to_json import FORMAT, VERSION
from reports.runs.schema import CheckedRecord, Count
from reports.text.tables import to_json

Probability = Annotated[float, Field(ge=0, le=1)]
_CLOSED = with_config(ConfigDict(extra="forbid"))


@_CLOSED
class LeftOut(TypedDict):
    """A run folder that could not be used."""

    folder: str
    reason: str


@_CLOSED
class Entry(TypedDict):
    """A run: its record is run.json without the seal of the folder and without paths of a machine."""

    name: Annotated[str, Field(description="Distinct within the section.")]
    folder: str
    baseline: Annotated[str | None, Field(description="Name of the run that it is compared with.")]
    identities: Count | None
    record: CheckedRecord


@_CLOSED
class Comparison(TypedDict):
    """Run less baseline, over the probes that both have."""

    run: str
    folder: str
    baseline: str
    baseline_folder: str
    figure: str
    difference: Annotated[float, Field(ge=-1, le=1)]
    low: float | None
    high: float | None
    interval: str
    n: Count
    identities: Count
    unshared: Count
    only_run: Count
    only_baseline: Count
    p_mcnemar: Probability
    p_mcnemar_holm: Probability
    p_identity: Probability
    p_identity_holm: Probability
    helped: Count
    hurt: Count
    also_differs_in: str


@_CLOSED
class SectionObject(TypedDict):
    """One for each protocol and data set; figures of different sections cannot be compared."""

    number: Annotated[int, Field(ge=1)]
    kind: Annotated[
        str,
        Field(
            description="identification, verification, restoration, expression, efficiency, or one of a later version."
        ),
    ]
    protocol: Annotated[str, Field(description="With its arguments.")]
    data: str
    data_digest: str
    official: Annotated[
        bool | None, Field(description="Whether the data are the published set; null where none is published.")
    ]
    sample: Annotated[bool, Field(description="Whether the data are drawn samples.")]
    banners: list[str]
    notes: list[str]
    figures: Annotated[
        list[str],
        Field(description="Figures of the whole, in the order of the page; records may contain more, of parts."),
    ]
    runs: Annotated[list[Entry], Field(min_length=1)]
    comparisons: list[Comparison]


@_CLOSED
class Report(TypedDict):
    """Fractions are in [0, 1], as in run.json; null is a missing value and never 0."""

    format: Annotated[str, Field(json_schema_extra={"const": FORMAT})]
    version: Annotated[int, Field(json_schema_extra={"const": VERSION})]
    title: str
    banners: Annotated[list[str], Field(description="To show above every figure: smoke runs, sample data.")]
    sections: Annotated[list[SectionObject], Field(min_length=1)]
    left_out: list[LeftOut]


class _WithoutTitles(GenerateJsonSchema):
    """The generator of pydantic without a title for each field, which would repeat its name."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def report_schema() -> dict[str, Any]:
    """The JSON schema (draft 2020-12) of ``report.json``."""
    schema = TypeAdapter(Report).json_schema(mode="serialization", schema_generator=_WithoutTitles)
    schema["$defs"]["Data"]["properties"]["root"] = False
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": f"report.json of bench report, version {VERSION}"}
    return {**schema, **head}


if __name__ == "__main__":
    print(to_json(report_schema()), end="")
