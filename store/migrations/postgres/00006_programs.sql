-- +goose Up

-- Which program brought the tables to a version: one that is older says which one it needs. tables is the table of versions.
CREATE TABLE schema_programs (
    tables  TEXT   NOT NULL,
    version BIGINT NOT NULL,
    program TEXT   NOT NULL,
    PRIMARY KEY (tables, version)
);

-- +goose Down
DROP TABLE schema_programs;
