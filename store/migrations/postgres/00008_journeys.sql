-- +goose Up

-- When each entity reached which step, as its events say, whatever the order in which they came: a step has the earliest time of the events
-- that say it, NULL for none. counterpart is the doctor, of an order the pharmacy. Of counterpart and status the one with the greatest weight
-- counts. completed_at is, of an order, its delivery, and cancelled_at, of a prescription, when it became inactive. Nothing here is of the
-- patient: an appointment's date is not. Times are in milliseconds since 1970, UTC.
CREATE TABLE journeys (
    type               TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    counterpart        TEXT    COLLATE "C" NOT NULL,
    counterpart_weight BIGINT  NOT NULL,
    status             TEXT    COLLATE "C" NOT NULL,
    status_weight      BIGINT  NOT NULL,
    seen_at            BIGINT,
    created_at         BIGINT,
    confirmed_at       BIGINT,
    shipped_at         BIGINT,
    completed_at       BIGINT,
    cancelled_at       BIGINT,
    deleted_at         BIGINT,
    PRIMARY KEY (type, id)
) WITH (fillfactor = 80);

-- Events by who has part in them besides the patient: role is doctor or pharmacy, counterpart the id, empty where an event names none.
CREATE TABLE counterpart_counts (
    day         TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    counterpart TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    events      BIGINT  NOT NULL,
    PRIMARY KEY (day, role, counterpart, topic, action, status)
) WITH (fillfactor = 50);

-- What the histories know already, so that the figures do not begin at the upgrade. They do not know who the counterpart was. An entity whose
-- history begins in its middle, or that has none, has the steps that are seen. A status that is final has the greater weight the earlier it was
-- reached, any other the later: see the consumer, handlers/analytics.
INSERT INTO journeys (type, id, counterpart, counterpart_weight, status, status_weight,
    seen_at, created_at, confirmed_at, shipped_at, completed_at, cancelled_at, deleted_at)
WITH changes AS (
    SELECT type, id, action, status, record_time FROM entity_history
    UNION ALL
    SELECT type, id, action, status, record_time FROM entities
), steps AS (
    SELECT type, id, action, CASE WHEN action = 'deleted' THEN '' ELSE status END AS status, record_time,
        CASE WHEN type = 'AppointmentEvent' AND status IN ('completed', 'cancelled')
            OR type = 'PrescriptionEvent' AND status = 'completed'
            OR type = 'OrderEvent' AND status = 'delivered'
        THEN 4611686018427387904 - record_time ELSE record_time END AS weight
    FROM changes WHERE type IN ('AppointmentEvent', 'PrescriptionEvent', 'OrderEvent') AND record_time > 0
), latest AS (
    SELECT type, id, status, weight, row_number() OVER (PARTITION BY type, id ORDER BY weight DESC, status DESC) AS place
    FROM steps WHERE status <> ''
)
SELECT steps.type, steps.id, '', 0, coalesce(max(latest.status), ''), coalesce(max(latest.weight), 0),
    min(steps.record_time),
    min(CASE WHEN steps.action = 'created' THEN steps.record_time END),
    min(CASE WHEN steps.status = 'confirmed' THEN steps.record_time END),
    min(CASE WHEN steps.status = 'shipped' THEN steps.record_time END),
    min(CASE WHEN steps.status IN ('completed', 'delivered') THEN steps.record_time END),
    min(CASE WHEN steps.status IN ('cancelled', 'inactive') THEN steps.record_time END),
    min(CASE WHEN steps.action = 'deleted' THEN steps.record_time END)
FROM steps LEFT JOIN latest ON latest.type = steps.type AND latest.id = steps.id AND latest.place = 1
GROUP BY steps.type, steps.id;

-- +goose Down
DROP TABLE counterpart_counts;
DROP TABLE journeys;
