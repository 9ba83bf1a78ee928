-- The published views: what analysts and BI tools read. Names, columns and meanings are a contract; every column says what it is.
-- They hold no reporter, no text and no public reference (whoever holds that may speak for a reporter). Deleted rows are gone, and
-- what is unknown is NULL: the joined sides are made Nullable, so that this holds whatever join_use_nulls says.
-- Regions are few beside issues, so they stand on the right of every join.

-- +goose Up
CREATE VIEW pub_region{{.OnCluster}} (
    id UUID COMMENT 'Key of the region',
    code String COMMENT 'Administrative code, 12 digits',
    level LowCardinality(String) COMMENT 'PROVINCE, PREFECTURE, COUNTY, TOWNSHIP or VILLAGE_COMMITTEE',
    name String COMMENT 'Name of the region alone',
    parent_code Nullable(String) COMMENT 'Code of the region above; NULL at the top',
    path_codes Array(String) COMMENT 'Codes from the province down to this region',
    path_names Array(String) COMMENT 'Names from the province down to this region',
    province_code Nullable(String) COMMENT 'Code of its province, which may be itself',
    province_name Nullable(String) COMMENT 'Name of its province',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture; NULL above that level or where there is none',
    prefecture_name Nullable(String) COMMENT 'Name of its prefecture',
    county_code Nullable(String) COMMENT 'Code of its county; NULL above that level',
    county_name Nullable(String) COMMENT 'Name of its county',
    urban_rural LowCardinality(Nullable(String)) COMMENT 'URBAN or RURAL; NULL if unknown',
    population Nullable(Int64) COMMENT 'Persons in the latest year that is known; NULL if unknown',
    population_year Nullable(Int32) COMMENT 'The year of population',
    valid_from Nullable(Date32) COMMENT 'First day on which the region exists; NULL if unknown',
    valid_to Nullable(Date32) COMMENT 'First day on which it no longer exists; NULL if it still does'
) AS
WITH
    current AS (SELECT * FROM d_region FINAL WHERE _deleted = 0),
    ancestors AS (
        SELECT
            s.id AS id,
            arrayMap(x -> x.2, arraySort(x -> x.1, groupArray((s.step, a.name)))) AS names,
            anyIf(toNullable(a.code), a.level = 'PROVINCE') AS province_code, anyIf(toNullable(a.name), a.level = 'PROVINCE') AS province_name,
            anyIf(toNullable(a.code), a.level = 'PREFECTURE') AS prefecture_code, anyIf(toNullable(a.name), a.level = 'PREFECTURE') AS prefecture_name,
            anyIf(toNullable(a.code), a.level = 'COUNTY') AS county_code, anyIf(toNullable(a.name), a.level = 'COUNTY') AS county_name
        FROM (SELECT id, code, step FROM current ARRAY JOIN splitByChar('.', path) AS code, arrayEnumerate(splitByChar('.', path)) AS step) AS s
        INNER JOIN (SELECT code, name, level FROM current) AS a ON s.code = a.code
        GROUP BY s.id
    ),
    parents AS (SELECT toNullable(id) AS id, toNullable(code) AS code FROM current),
    people AS (
        SELECT region_id, toNullable(argMax(persons, year)) AS persons, toNullable(max(year)) AS latest
        FROM d_population FINAL WHERE _deleted = 0 GROUP BY region_id
    )
SELECT
    r.id AS id, r.code AS code, r.level AS level, r.name AS name, p.code AS parent_code, splitByChar('.', r.path) AS path_codes, a.names AS path_names,
    a.province_code AS province_code, a.province_name AS province_name, a.prefecture_code AS prefecture_code, a.prefecture_name AS prefecture_name,
    a.county_code AS county_code, a.county_name AS county_name, r.urban_rural AS urban_rural,
    n.persons AS population, n.latest AS population_year, r.valid_from AS valid_from, r.valid_to AS valid_to
FROM current AS r
LEFT ANY JOIN ancestors AS a ON r.id = a.id
LEFT ANY JOIN parents AS p ON r.parent_id = p.id
LEFT ANY JOIN people AS n ON r.id = n.region_id
COMMENT 'Regions, with those above them and their latest population';

CREATE VIEW pub_category{{.OnCluster}} (
    id UUID COMMENT 'Key of the category',
    code String COMMENT 'Code in the catalogue; the same code may stand in several versions',
    version Int32 COMMENT 'Version of the catalogue that the category belongs to',
    parent_id Nullable(UUID) COMMENT 'The category above; NULL at the top',
    name String COMMENT 'Name of the category alone',
    path Array(String) COMMENT 'Names from the top down to this category',
    valid_from Date32 COMMENT 'First day on which issues may be of this category',
    valid_to Nullable(Date32) COMMENT 'First day on which they no longer may; NULL if they still may'
) AS
SELECT id, code, version, parent_id, name, path, valid_from, valid_to FROM d_category FINAL WHERE _deleted = 0
COMMENT 'Categories of issues';

CREATE VIEW pub_opinion{{.OnCluster}} (
    id UUID COMMENT 'Key of the opinion',
    source LowCardinality(String) COMMENT 'Where it was taken in, such as an import',
    channel LowCardinality(String) COMMENT 'Way of coming in, such as VISIT, HOTLINE or MESSAGE_BOARD',
    kind LowCardinality(String) COMMENT 'INQUIRY, HELP, COMPLAINT, REPORT, SUGGESTION or THANKS',
    received_at DateTime64(6, 'UTC') COMMENT 'When it was received',
    received_precision LowCardinality(String) COMMENT 'How exact received_at is',
    occurred_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the matter occurred; NULL if unknown',
    visit_id Nullable(UUID) COMMENT 'The visit at which it was voiced; NULL if at none',
    region_code Nullable(String) COMMENT 'Code of the finest known region; NULL if unknown',
    region_name Nullable(String) COMMENT 'Name of that region',
    region_level Nullable(String) COMMENT 'Level of that region',
    province_code Nullable(String) COMMENT 'Code of its province; NULL if unknown',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture; NULL if unknown or none',
    county_code Nullable(String) COMMENT 'Code of its county; NULL if unknown',
    confidentiality LowCardinality(String) COMMENT 'PUBLIC, NAME_HIDDEN or CONFIDENTIAL',
    supported Int32 COMMENT 'How many others supported it',
    opposed Int32 COMMENT 'How many others opposed it'
) AS
SELECT
    o.id AS id, o.source AS source, o.channel AS channel, o.kind AS kind, o.received_at AS received_at, o.received_precision AS received_precision,
    o.occurred_at AS occurred_at, o.visit_id AS visit_id, r.code AS region_code, r.name AS region_name, r.level AS region_level,
    r.province_code AS province_code, r.prefecture_code AS prefecture_code, r.county_code AS county_code,
    o.confidentiality AS confidentiality, o.supported AS supported, o.opposed AS opposed
FROM (SELECT * FROM f_opinion FINAL WHERE _deleted = 0) AS o
LEFT ANY JOIN (
    SELECT toNullable(id) AS id, toNullable(code) AS code, toNullable(name) AS name, toNullable(toString(level)) AS level, province_code, prefecture_code, county_code
    FROM pub_region
) AS r ON o.region_id = r.id
COMMENT 'Opinions of citizens, without their texts and without who voiced them';

CREATE VIEW pub_issue_opinion{{.OnCluster}} (
    issue_id UUID COMMENT 'The issue',
    opinion_id UUID COMMENT 'An opinion on it',
    linked_at DateTime64(6, 'UTC') COMMENT 'When the opinion was put to the issue',
    score Nullable(Float32) COMMENT 'How sure the link is, 0 to 1; NULL where a person made it'
) AS
SELECT issue_id, opinion_id, linked_at, score FROM f_issue_opinion FINAL WHERE _deleted = 0
COMMENT 'Which opinions are on which issue';

CREATE VIEW pub_issue{{.OnCluster}} (
    id UUID COMMENT 'Key of the issue',
    region_code Nullable(String) COMMENT 'Code of the finest known region of origin; NULL if unknown',
    region_name Nullable(String) COMMENT 'Name of that region',
    region_level Nullable(String) COMMENT 'Level of that region',
    province_code Nullable(String) COMMENT 'Code of its province; NULL if unknown',
    province_name Nullable(String) COMMENT 'Name of its province',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture; NULL if unknown or none',
    prefecture_name Nullable(String) COMMENT 'Name of its prefecture',
    county_code Nullable(String) COMMENT 'Code of its county; NULL if unknown',
    county_name Nullable(String) COMMENT 'Name of its county',
    category_id Nullable(UUID) COMMENT 'Key of its category; NULL if unknown',
    category_code Nullable(String) COMMENT 'Code of its category; NULL if unknown',
    category_name Nullable(String) COMMENT 'Name of its category; NULL if unknown',
    category_path Array(String) COMMENT 'Names of its categories from the top; empty if unknown',
    channel LowCardinality(String) COMMENT 'Way in which its first opinion came in',
    kind LowCardinality(String) COMMENT 'What the first reporter wants: INQUIRY, HELP, COMPLAINT, REPORT, SUGGESTION or THANKS',
    severity LowCardinality(String) COMMENT 'LOW, NORMAL, HIGH or URGENT',
    difficulty LowCardinality(String) COMMENT 'ROUTINE, CROSS_UNIT, LEGACY or POLICY_GAP',
    source_visit_id Nullable(UUID) COMMENT 'The visit that it was raised at; NULL if at none',
    lead_unit_name Nullable(String) COMMENT 'The unit that leads it now; NULL if none does',
    state LowCardinality(String) COMMENT 'REGISTERED, DISPATCHED, IN_PROGRESS, AWAITING_CITIZEN, PLANNED, CLAIMED, CLOSED or MERGED',
    closure_type LowCardinality(Nullable(String)) COMMENT 'How it ended: CONFIRMED, UNCONFIRMED, EXPLAINED, REFERRED_OUT or WITHDRAWN; NULL while open',
    is_open Bool COMMENT 'Neither closed nor merged into another issue; a claim that awaits the verdict is open',
    origin_at DateTime64(6, 'UTC') COMMENT 'When its earliest opinion was received; the start of every clock',
    first_response_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First human contact that reached the reporter; NULL if none yet',
    claimed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last claim of the handler that it is done; a claim is not a resolution',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Time of the last claim that the reporter confirmed and that was not reopened within 90 days',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was closed; NULL while open',
    due_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it is due; NULL if no deadline is set',
    observed_until Nullable(DateTime64(6, 'UTC')) COMMENT 'Imported issues: nothing is known of it after this moment; NULL = observed here continuously',
    merged_into_id Nullable(UUID) COMMENT 'The issue that it was merged into; NULL if none',
    paused_seconds Int64 COMMENT 'Seconds for which the net clock stood still, awaiting an answer of the citizen',
    return_count Int32 COMMENT 'How often a unit gave it back',
    dispute_count Int32 COMMENT 'How often the reporter disputed a claim',
    reopen_count Int32 COMMENT 'How often it was reopened',
    escalation_level Int32 COMMENT 'How often it was escalated',
    opinion_count Int32 COMMENT 'How many opinions are on it',
    updated_at DateTime64(6, 'UTC') COMMENT 'When its record last changed'
) AS
SELECT
    i.id AS id, r.code AS region_code, r.name AS region_name, r.level AS region_level,
    r.province_code AS province_code, r.province_name AS province_name, r.prefecture_code AS prefecture_code, r.prefecture_name AS prefecture_name,
    r.county_code AS county_code, r.county_name AS county_name,
    i.category_id AS category_id, c.code AS category_code, c.name AS category_name, c.path AS category_path,
    i.channel AS channel, i.kind AS kind, i.severity AS severity, i.difficulty AS difficulty, i.source_visit_id AS source_visit_id, u.name AS lead_unit_name,
    i.state AS state, i.closure_type AS closure_type, i.state NOT IN ('CLOSED', 'MERGED') AS is_open,
    i.origin_at AS origin_at, i.first_response_at AS first_response_at, i.claimed_at AS claimed_at, i.resolved_at AS resolved_at, i.closed_at AS closed_at,
    i.due_at AS due_at, i.observed_until AS observed_until, i.merged_into_id AS merged_into_id, i.paused_seconds AS paused_seconds,
    i.return_count AS return_count, i.dispute_count AS dispute_count, i.reopen_count AS reopen_count, i.escalation_level AS escalation_level,
    i.opinion_count AS opinion_count, i.updated_at AS updated_at
FROM (SELECT * FROM f_issue FINAL WHERE _deleted = 0) AS i
LEFT ANY JOIN (
    SELECT toNullable(id) AS id, toNullable(code) AS code, toNullable(name) AS name, toNullable(toString(level)) AS level,
        province_code, province_name, prefecture_code, prefecture_name, county_code, county_name
    FROM pub_region
) AS r ON i.region_id = r.id
LEFT ANY JOIN (SELECT toNullable(id) AS id, toNullable(code) AS code, toNullable(name) AS name, path FROM d_category FINAL WHERE _deleted = 0) AS c ON i.category_id = c.id
LEFT ANY JOIN (SELECT toNullable(id) AS id, toNullable(name) AS name FROM d_org_unit FINAL WHERE _deleted = 0) AS u ON i.lead_unit_id = u.id
COMMENT 'Issues as they stand now, with place and category resolved';

CREATE VIEW pub_issue_event{{.OnCluster}} (
    issue_id UUID COMMENT 'The issue',
    seq Int32 COMMENT 'Number of the event in the life of the issue, from 1 without gaps',
    kind LowCardinality(String) COMMENT 'What happened, such as DISPATCHED, CLAIMED or CONFIRMED',
    from_state LowCardinality(Nullable(String)) COMMENT 'State before; NULL for the first event',
    to_state LowCardinality(String) COMMENT 'State after',
    at DateTime64(6, 'UTC') COMMENT 'When it happened',
    known_at DateTime64(6, 'UTC') COMMENT 'When it was known; never decreases over the events of an issue',
    actor_role LowCardinality(String) COMMENT 'Role in which somebody did it',
    reason_code LowCardinality(Nullable(String)) COMMENT 'Coded reason; NULL where none is asked for',
    closure_type LowCardinality(Nullable(String)) COMMENT 'How the issue ended, after this event; NULL while open',
    origin_at DateTime64(6, 'UTC') COMMENT 'Earliest opinion received, after this event',
    first_response_at Nullable(DateTime64(6, 'UTC')) COMMENT 'First contact that reached the reporter, after this event',
    claimed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last claim, after this event',
    resolved_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Last confirmed claim, after this event',
    closed_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was closed, after this event',
    merged_into_id Nullable(UUID) COMMENT 'The issue that it was merged into, after this event',
    return_count Int32 COMMENT 'How often a unit had given it back, after this event',
    dispute_count Int32 COMMENT 'How often the reporter had disputed a claim, after this event',
    reopen_count Int32 COMMENT 'How often it had been reopened, after this event',
    escalation_level Int32 COMMENT 'How often it had been escalated, after this event',
    opinion_count Int32 COMMENT 'How many opinions were on it, after this event'
) AS
SELECT
    issue_id, seq, kind, from_state, to_state, at, known_at, actor_role, reason_code, closure_type,
    origin_at, first_response_at, claimed_at, resolved_at, closed_at, merged_into_id,
    return_count, dispute_count, reopen_count, escalation_level, opinion_count
FROM f_issue_event FINAL WHERE _deleted = 0
COMMENT 'The history of every issue: what happened, and where the issue stood after it';

CREATE VIEW pub_watermark{{.OnCluster}} (
    lsn UInt64 COMMENT 'Everything that the system of record committed up to this position is here; 0 while the first load is under way',
    committed_at DateTime64(6, 'UTC') COMMENT 'When the last of it was committed'
) AS
SELECT applied_lsn AS lsn, commit_time AS committed_at FROM etl_checkpoint FINAL ORDER BY epoch DESC, seq DESC LIMIT 1
COMMENT 'How far the warehouse has the system of record; no row if nothing was ever loaded';

-- +goose Down
SELECT throwIf(1, 'forward only');
