-- What the loads of the benchmark work with; none of it is published. Triggers are put aside (session_replication_role = replica): the
-- replication is measured, not the rules of the system of record.
CREATE SCHEMA bench;
CREATE TABLE bench.issue AS SELECT row_number() OVER ()::int AS n, id FROM issue;
ALTER TABLE bench.issue ADD PRIMARY KEY (n);
CREATE TABLE bench.event AS SELECT row_number() OVER ()::int AS bench_n, e.* FROM (SELECT * FROM issue_event LIMIT 1000) e;
ALTER TABLE bench.event ADD PRIMARY KEY (bench_n);
CREATE TABLE bench.link AS SELECT row_number() OVER ()::int AS n, issue_id, opinion_id FROM issue_opinion;
ALTER TABLE bench.link ADD PRIMARY KEY (n);
ANALYZE bench.issue, bench.event, bench.link;

-- Transactions of 60 inserted events, 35 updated issues and 5 deleted events.
CREATE PROCEDURE bench.mixed(transactions int) LANGUAGE plpgsql AS $$
DECLARE
    issues int := (SELECT max(n) FROM bench.issue);
    made uuid[];
BEGIN
    FOR t IN 1..transactions LOOP
        WITH added AS (
            INSERT INTO issue_event (issue_id, {{columns}}) SELECT uuidv7(), {{columns}} FROM bench.event WHERE bench_n > (t * 60) % 900 LIMIT 60
            RETURNING issue_id)
        SELECT array_agg(issue_id) INTO made FROM added;
        UPDATE issue SET opinion_count = opinion_count + 1, updated_at = clock_timestamp()
        WHERE id IN (SELECT id FROM bench.issue WHERE n = ANY(ARRAY(SELECT 1 + floor(random() * issues)::int FROM generate_series(1, 35))));
        DELETE FROM issue_event WHERE issue_id = ANY(made[1:5]);
        COMMIT;
    END LOOP;
END $$;

-- Transactions of 100 updated rows of four columns.
CREATE PROCEDURE bench.narrow(transactions int) LANGUAGE plpgsql AS $$
DECLARE
    links int := (SELECT max(n) FROM bench.link);
    start int;
BEGIN
    FOR t IN 1..transactions LOOP
        start := floor(random() * greatest(links - 100, 1))::int;
        UPDATE issue_opinion o SET score = random() FROM bench.link l
        WHERE l.n > start AND l.n <= start + 100 AND o.issue_id = l.issue_id AND o.opinion_id = l.opinion_id;
        COMMIT;
    END LOOP;
END $$;

-- One transaction of so many inserted events.
CREATE PROCEDURE bench.big(rows int) LANGUAGE sql AS $$
    INSERT INTO issue_event (issue_id, {{columns}})
    SELECT uuidv7(), {{columns}} FROM bench.event CROSS JOIN generate_series(1, greatest(rows / 1000, 1))
$$;
