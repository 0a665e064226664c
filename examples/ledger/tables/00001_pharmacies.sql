-- +goose Up
CREATE TABLE ledger_pharmacies (
    pharmacy   TEXT PRIMARY KEY,
    deliveries BIGINT NOT NULL
);
