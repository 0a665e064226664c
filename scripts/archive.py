"""Runs the SQL of a page on an archive: archive.py PAGE DATA_DIR. Every query must answer, and what the page says of the columns must hold."""

import os
import re
import sys

import duckdb

page, data = sys.argv[1], sys.argv[2]
with open(page, encoding="utf-8") as file:
    queries = re.findall(r"^```sql\n(.*?)^```$", file.read(), re.MULTILINE | re.DOTALL)
if len(queries) != 5:
    sys.exit(f"{page} has {len(queries)} queries, want 5")

os.chdir(data)
database = duckdb.connect()
answers = []
for query in queries:
    answer = database.sql(query)
    rows = answer.fetchall()
    print(f"{len(rows):4} rows of {', '.join(answer.columns)}")
    if not rows:
        sys.exit(f"this query answers nothing:\n{query}")
    answers.append(rows)


def number(query):
    """The one number that a query answers."""
    return database.sql(query).fetchall()[0][0]


TABLES = "read_parquet('archive/topic=*/dt=*/*.parquet', union_by_name = true)"
LINES = "read_ndjson('archive/topic=*/dt=*/*.ndjson.zst')"
lines = number(f"SELECT count(*) FROM {LINES}")
poison = 40
checks = [
    ("records, published by the demo", lines, 5000 + poison),
    ("records of the first query", sum(row[2] for row in answers[0]), lines),
    ("records that could not be read, of the first query", sum(row[3] for row in answers[0]), sum(row[2] for row in answers[1])),
    ("rows and lines that have the same position", number(f'SELECT count(*) FROM {TABLES} JOIN {LINES} USING (topic, "partition", "offset", "timestamp")'), lines),
    ("values of fields that are patient data", number(f"SELECT count(reason) + count(medication) + count(description) + count(totalPrice) + count(items) FROM {TABLES}"), 0),
    ("patients that are no pseudonym", number(f"SELECT count(*) FROM {TABLES} WHERE NOT regexp_full_match(patientId, '[0-9a-f]{{64}}')"), 0),
]
wrong = [f"{name}: got {got}, want {want}" for name, got, want in checks if got != want]
if wrong:
    sys.exit("\n".join(wrong))
print(f"{lines} records: tables and lines agree")
