-- +goose Up
CREATE TABLE ledger_pharmacies (
    pharmacy   TEXT PRIMARY KEY,
    deliveries INTEGER NOT NULL
) STRICT;
