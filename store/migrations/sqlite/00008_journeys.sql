-- +goose Up

-- When each entity reached which step, as its events say, whatever the order in which they came: a step has the earliest time of the events
-- that say it, NULL for none. counterpart is the doctor, of an order the pharmacy. Of counterpart and status the one with the greatest weight
-- counts. completed_at is, of an order, its delivery, and cancelled_at, of a prescription, when it became inactive. Nothing here is of the
-- patient: an appointment's date is not. Times are in milliseconds since 1970, UTC.
CREATE TABLE journeys (
    type               TEXT    NOT NULL,
    id                 TEXT    NOT NULL,
    counterpart        TEXT    NOT NULL,
    counterpart_weight INTEGER NOT NULL,
    status             TEXT    NOT NULL,
    status_weight      INTEGER NOT NULL,
    seen_at            INTEGER,
    created_at         INTEGER,
    confirmed_at       INTEGER,
    shipped_at         INTEGER,
    completed_at       INTEGER,
    cancelled_at       INTEGER,
    deleted_at         INTEGER,
    PRIMARY KEY (type, id)
) WITHOUT ROWID;

-- Events by who has part in them besides the patient: role is doctor or pharmacy, counterpart the id, empty where an event names none.
CREATE TABLE counterpart_counts (
    day         TEXT    NOT NULL,
    role        TEXT    NOT NULL,
    counterpart TEXT    NOT NULL,
    topic       TEXT    NOT NULL,
    action      TEXT    NOT NULL,
    status      TEXT    NOT NULL,
    events      INTEGER NOT NULL,
    PRIMARY KEY (day, role, counterpart, topic, action, status)
) WITHOUT ROWID;

-- What the histories know already, so that the figures do not begin at the upgrade. They do not know who the counterpart was. An entity whose
-- history begins in its middle, or that has none, has the steps that are seen. A status that is final has the greater weight the earlier it was
-- reached, any other the later: see the consumer, handlers/analytics. Weights have 20 digits before their status, so the greatest text is the
-- weightiest word.
INSERT INTO journeys (type, id, counterpart, counterpart_weight, status, status_weight,
    seen_at, created_at, confirmed_at, shipped_at, completed_at, cancelled_at, deleted_at)
SELECT type, id, '', 0, coalesce(substr(max(word), 21), ''), coalesce(CAST(substr(max(word), 1, 20) AS INTEGER), 0),
    min(record_time),
    min(CASE WHEN action = 'created' THEN record_time END),
    min(CASE WHEN status = 'confirmed' THEN record_time END),
    min(CASE WHEN status = 'shipped' THEN record_time END),
    min(CASE WHEN status IN ('completed', 'delivered') THEN record_time END),
    min(CASE WHEN status IN ('cancelled', 'inactive') THEN record_time END),
    min(CASE WHEN action = 'deleted' THEN record_time END)
FROM (
    SELECT type, id, action, record_time, CASE WHEN action = 'deleted' THEN '' ELSE status END AS status,
        CASE WHEN action = 'deleted' OR status = '' THEN NULL
        ELSE printf('%020d', CASE WHEN type = 'AppointmentEvent' AND status IN ('completed', 'cancelled')
            OR type = 'PrescriptionEvent' AND status = 'completed' OR type = 'OrderEvent' AND status = 'delivered'
            THEN 4611686018427387904 - record_time ELSE record_time END) || status END AS word
    FROM entity_history WHERE type IN ('AppointmentEvent', 'PrescriptionEvent', 'OrderEvent') AND record_time > 0
) AS steps
GROUP BY id, type;

-- The same for entities from before there were histories, of their present states.
INSERT INTO journeys (type, id, counterpart, counterpart_weight, status, status_weight,
    seen_at, created_at, confirmed_at, shipped_at, completed_at, cancelled_at, deleted_at)
SELECT type, id, '', 0, coalesce(substr(max(word), 21), ''), coalesce(CAST(substr(max(word), 1, 20) AS INTEGER), 0),
    min(record_time),
    min(CASE WHEN action = 'created' THEN record_time END),
    min(CASE WHEN status = 'confirmed' THEN record_time END),
    min(CASE WHEN status = 'shipped' THEN record_time END),
    min(CASE WHEN status IN ('completed', 'delivered') THEN record_time END),
    min(CASE WHEN status IN ('cancelled', 'inactive') THEN record_time END),
    min(CASE WHEN action = 'deleted' THEN record_time END)
FROM (
    SELECT type, id, action, record_time, CASE WHEN action = 'deleted' THEN '' ELSE status END AS status,
        CASE WHEN action = 'deleted' OR status = '' THEN NULL
        ELSE printf('%020d', CASE WHEN type = 'AppointmentEvent' AND status IN ('completed', 'cancelled')
            OR type = 'PrescriptionEvent' AND status = 'completed' OR type = 'OrderEvent' AND status = 'delivered'
            THEN 4611686018427387904 - record_time ELSE record_time END) || status END AS word
    FROM entities WHERE type IN ('AppointmentEvent', 'PrescriptionEvent', 'OrderEvent') AND record_time > 0
        AND NOT EXISTS (SELECT 1 FROM journeys WHERE journeys.type = entities.type AND journeys.id = entities.id)
) AS steps
GROUP BY id, type;

-- +goose Down
DROP TABLE counterpart_counts;
DROP TABLE journeys;
