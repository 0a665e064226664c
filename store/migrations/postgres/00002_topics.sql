-- +goose Up

-- Which topic the progress rows are of: the brokers give a topic another id when it is made anew, and another cluster has others.
CREATE TABLE topics (
    topic TEXT NOT NULL PRIMARY KEY,
    id    TEXT NOT NULL
);

-- +goose Down
DROP TABLE topics;
