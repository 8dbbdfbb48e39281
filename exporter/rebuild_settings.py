"""What a user can set of a rebuild: the settings file's table [rebuild]."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field

from exporter.setting_types import FilePath, Number, Percentage, Span, Text


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


class RebuildSettings(BaseModel):
    """The settings file's table [rebuild], for `exporter rebuild` only. Spans are in seconds, shares in percent."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    neo4j_home: FilePath | None = Field(
        default=None, description="the directory of an installed Neo4j", examples=["/opt/neo4j"]
    )
    neo4j_conf: FilePath | None = Field(
        default=None, description="the directory of its neo4j.conf", examples=["/etc/neo4j"]
    )
    neo4j_timeout: Span = Field(default=120, description="a time such as 90s, 15m or 2h, at most 500h")
    database: str = Field(default="neo4j", pattern=r"^[a-z][a-z0-9.-]{2,62}$", description="a database's name")
    bolt: str = Field(
        default="bolt://127.0.0.1:7687",
        pattern=r"^(bolt|neo4j)(\+ssc|\+s)?://[^@]+$",
        description="an address like bolt://127.0.0.1:7687, without user and password",
    )
    user: Text | None = Field(default=None, description="the name of a Neo4j user", examples=["neo4j"])
    stop: Text | None = Field(
        default=None, description="a command that stops Neo4j", examples=["sudo systemctl stop neo4j"]
    )
    start: Text | None = Field(
        default=None, description="a command that starts Neo4j", examples=["sudo systemctl start neo4j"]
    )
    keep: Number = Field(default=2, ge=1, description="a whole number, 1 or more")
    max_drop: Percentage = Field(default=20, le=100, description="a percentage from 0% to 100%, such as 20%")
    max_rejects_rise: Percentage = Field(default=1, description="a percentage such as 1%")
    metrics: FilePath | None = Field(
        default=None, description="a file's name", examples=["/var/lib/node_exporter/exporter.prom"]
    )
    log_format: LogFormat = Field(default=LogFormat.PLAIN, description="plain or json")
