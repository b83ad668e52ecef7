"""INFORMATION_SCHEMA of a dataset or a region: made on demand as tables of SQLite, and made anew when tables have changed.

    `p.d.INFORMATION_SCHEMA.V`, d.INFORMATION_SCHEMA.V           V: COLUMNS TABLES (what the dataset holds)
    `p`.`region-xx`.INFORMATION_SCHEMA.V                          V: COLUMNS TABLES TABLE_STORAGE SCHEMATA (every dataset in that location)

Only columns that are listed here exist. Source: Google's pages "COLUMNS view", "TABLES view", "TABLE_STORAGE view", "SCHEMATA view".
`--no-regions` refuses the second form, as the emulator does; `--no-information-schema` both.
"""

from errors import bad_query, not_in_subset

_TEXT, _INT, _TIME = "STRING", "INT64", "TIMESTAMP"
VIEWS = {
    "COLUMNS": [("table_catalog", _TEXT), ("table_schema", _TEXT), ("table_name", _TEXT), ("column_name", _TEXT), ("ordinal_position", _INT),
                ("is_nullable", _TEXT), ("data_type", _TEXT), ("is_hidden", _TEXT), ("is_partitioning_column", _TEXT),
                ("clustering_ordinal_position", _INT), ("column_default", _TEXT)],
    "TABLES": [("table_catalog", _TEXT), ("table_schema", _TEXT), ("table_name", _TEXT), ("table_type", _TEXT), ("creation_time", _TIME)],
    "TABLE_STORAGE": [("project_id", _TEXT), ("table_catalog", _TEXT), ("table_schema", _TEXT), ("table_name", _TEXT), ("creation_time", _TIME),
                      ("total_rows", _INT), ("total_partitions", _INT), ("total_logical_bytes", _INT), ("active_logical_bytes", _INT),
                      ("storage_last_modified_time", _TIME), ("deleted", "BOOL"), ("table_type", _TEXT)],
    "SCHEMATA": [("catalog_name", _TEXT), ("schema_name", _TEXT), ("location", _TEXT), ("creation_time", _TIME)],
}
_REGION_ONLY = ("TABLE_STORAGE", "SCHEMATA")


def _type_of(table):
    return "VIEW" if table.type == "VIEW" else "BASE TABLE"


class InformationSchema:
    def __init__(self, catalog, options):
        self.catalog, self.options = catalog, options
        self._made = {}  # (place, view): (version, name)

    def relation(self, place, view, at):
        """(SQLite's text, columns, location) of one view."""
        region = place.lower().startswith("region-")
        if not self.options.get("information_schema", True) or (region and not self.options.get("regions", True)):
            raise not_in_subset(f"{place}.INFORMATION_SCHEMA", at)
        if view not in VIEWS or (not region and view in _REGION_ONLY):
            raise bad_query(f"Unrecognized name: INFORMATION_SCHEMA.{view}", at)
        if region:
            location = place[len("region-"):].lower()
            datasets = [d for d in self.catalog.datasets.values() if d.location.lower() == location]
        else:
            datasets = [self.catalog.dataset(place)]
            location = datasets[0].location
        for dataset in datasets:
            self.catalog.expire(dataset)
        return self._made_for(place, view, datasets), VIEWS[view], location

    def _made_for(self, place, view, datasets):
        if view == "TABLE_STORAGE":
            self.catalog.all_stats()
        version = (self.catalog.version, sum(t.data_version for d in datasets for t in d.tables.values()) if view == "TABLE_STORAGE" else 0)
        made = self._made.get((place, view))
        if made is not None and made[0] == version:
            return made[1]
        name = made[1] if made else f"temp.i{len(self._made) + 1}"
        columns = VIEWS[view]
        self.catalog.db.execute(f"DROP TABLE IF EXISTS {name}")
        self.catalog.db.execute(f"CREATE TEMP TABLE {name[5:]}({', '.join(n for n, _ in columns)})")
        rows = getattr(self, "_" + view.lower())(datasets)
        self.catalog.db.executemany(f"INSERT INTO {name} VALUES({','.join('?' * len(columns))})", rows)
        self._made[(place, view)] = (version, name)
        return name

    def _columns(self, datasets):
        project = self.catalog.project
        for dataset in datasets:
            for table in dataset.tables.values():
                partition = ((table.body.get("timePartitioning") or {}).get("field") or "").lower()
                clustering = [c.lower() for c in (table.body.get("clustering") or {}).get("fields") or []]
                for number, c in enumerate(table.columns):
                    low = c.name.lower()
                    yield (project, dataset.name, table.name, c.name, number + 1, "NO" if c.mode == "REQUIRED" else "YES", c.declared_type(), "NO",
                           "YES" if low == partition else "NO", clustering.index(low) + 1 if low in clustering else None, c.default or "NULL")

    def _tables(self, datasets):
        for dataset in datasets:
            for table in dataset.tables.values():
                yield self.catalog.project, dataset.name, table.name, _type_of(table), table.created * 1000

    def _table_storage(self, datasets):
        for dataset in datasets:
            for table in dataset.tables.values():
                if table.type == "VIEW":
                    continue
                rows, sizes = self.catalog.stats(table)
                yield (self.catalog.project, self.catalog.project, dataset.name, table.name, table.created * 1000, rows, 1, sum(sizes), sum(sizes),
                       table.modified * 1000, 0, _type_of(table))

    def _schemata(self, datasets):
        for dataset in datasets:
            yield self.catalog.project, dataset.name, dataset.location, dataset.created * 1000



