-- Published views of what people go down for and what they are told: sites, visits, the rota, claims, calls, verdicts, and policies. Like the
-- others they hold no reporter and no text; a post is named by its rank and unit, never by its holder (one post of a unit and rank is one person).

-- +goose Up
CREATE VIEW pub_site{{.OnCluster}} (
    id UUID COMMENT 'Key of the site',
    kind LowCardinality(String) COMMENT 'FACTORY, RURAL, COMMUNITY, SCHOOL, HOSPITAL, GOVT_WINDOW or OTHER',
    region_code Nullable(String) COMMENT 'Code of its region',
    county_code Nullable(String) COMMENT 'Code of its county',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture',
    urban_rural LowCardinality(Nullable(String)) COMMENT 'URBAN or RURAL, of its region; NULL if unknown',
    eligible_from Nullable(Date32) COMMENT 'First day on which visits to it count for coverage; NULL = always',
    eligible_to Nullable(Date32) COMMENT 'First day on which they no longer do; NULL = never'
) AS
SELECT s.id AS id, s.kind AS kind, r.code AS region_code, r.county_code AS county_code, r.prefecture_code AS prefecture_code, r.urban_rural AS urban_rural,
    s.eligible_from AS eligible_from, s.eligible_to AS eligible_to
FROM (SELECT * FROM d_site FINAL WHERE _deleted = 0) AS s
LEFT ANY JOIN (SELECT toNullable(id) AS id, toNullable(code) AS code, county_code, prefecture_code, urban_rural FROM pub_region) AS r ON s.region_id = r.id
COMMENT 'Sites that leading officials visit';

CREATE VIEW pub_visit{{.OnCluster}} (
    id UUID COMMENT 'Key of the visit',
    activity_kind LowCardinality(String) COMMENT 'PROPAGATION, RESEARCH, RECEPTION or ONSITE_OFFICE',
    notice LowCardinality(String) COMMENT 'ANNOUNCED or UNANNOUNCED',
    state LowCardinality(String) COMMENT 'PLANNED, CHECKED_IN, HELD, RECORDED, CLOSED_OUT, CANCELLED or VOID',
    site_id UUID COMMENT 'The site visited',
    site_kind LowCardinality(Nullable(String)) COMMENT 'Kind of that site',
    county_code Nullable(String) COMMENT 'Code of the county of the site',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture',
    lead_rank LowCardinality(Nullable(String)) COMMENT 'Rank of the official who led it: PROVINCIAL, PREFECTURE, COUNTY, TOWNSHIP or SECTION',
    started_at DateTime64(6, 'UTC') COMMENT 'When it began, or is planned to',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it ended; NULL until then',
    citizens_met Nullable(Int32) COMMENT 'How many citizens were met; NULL if unknown',
    note_created_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When its note was written; NULL if not yet'
) AS
SELECT v.id AS id, v.activity_kind AS activity_kind, v.notice AS notice, v.state AS state, v.site_id AS site_id, s.kind AS site_kind,
    s.county_code AS county_code, s.prefecture_code AS prefecture_code, p.rank AS lead_rank,
    v.started_at AS started_at, v.ended_at AS ended_at, v.citizens_met AS citizens_met, v.note_created_at AS note_created_at
FROM (SELECT * FROM f_visit FINAL WHERE _deleted = 0) AS v
LEFT ANY JOIN (SELECT id, toNullable(kind) AS kind, county_code, prefecture_code FROM pub_site) AS s ON v.site_id = s.id
LEFT ANY JOIN (SELECT id, toNullable(rank) AS rank FROM d_post_holding FINAL WHERE _deleted = 0) AS p ON v.lead_id = p.id
COMMENT 'Visits of leading officials to sites';

CREATE VIEW pub_slot{{.OnCluster}} (
    id UUID COMMENT 'Key of the turn',
    activity_kind LowCardinality(String) COMMENT 'What it is a turn of: PROPAGATION, RESEARCH, RECEPTION or ONSITE_OFFICE',
    rank LowCardinality(Nullable(String)) COMMENT 'Rank of the official whose turn it is',
    region_code Nullable(String) COMMENT 'Code of the region in which the visit is due',
    prefecture_code Nullable(String) COMMENT 'Code of its prefecture',
    window_from Date32 COMMENT 'First day of the turn',
    window_to Date32 COMMENT 'First day after it: the turn is due then',
    state LowCardinality(String) COMMENT 'OPEN, FULFILLED, LATE, MISSED, EXCUSED or SWAPPED; all but OPEN and SWAPPED stay in the denominator of adherence',
    visit_id Nullable(UUID) COMMENT 'The visit that fulfilled it; NULL if none'
) AS
SELECT s.id AS id, s.activity_kind AS activity_kind, p.rank AS rank, r.code AS region_code, r.prefecture_code AS prefecture_code,
    s.window_from AS window_from, s.window_to AS window_to, s.state AS state, s.visit_id AS visit_id
FROM (SELECT * FROM f_slot FINAL WHERE _deleted = 0) AS s
LEFT ANY JOIN (SELECT id, toNullable(rank) AS rank FROM d_post_holding FINAL WHERE _deleted = 0) AS p ON s.post_id = p.id
LEFT ANY JOIN (SELECT id, toNullable(code) AS code, prefecture_code FROM pub_region) AS r ON s.region_id = r.id
COMMENT 'Turns of the rota';

CREATE VIEW pub_claim{{.OnCluster}} (
    id UUID COMMENT 'Key of the claim',
    issue_id UUID COMMENT 'The issue that it says is done',
    n Int32 COMMENT 'Number of the claim among those of the issue, from 1',
    kind LowCardinality(Nullable(String)) COMMENT 'FIXED, EXPLAINED or REFERRED_OUT; NULL where the source does not say',
    claimed_at DateTime64(6, 'UTC') COMMENT 'When it was made',
    unit_name Nullable(String) COMMENT 'The unit that made it; NULL if unknown'
) AS
SELECT c.id AS id, c.issue_id AS issue_id, c.n AS n, c.kind AS kind, c.claimed_at AS claimed_at, u.name AS unit_name
FROM (SELECT * FROM f_claim FINAL WHERE _deleted = 0) AS c
LEFT ANY JOIN (SELECT toNullable(id) AS id, toNullable(name) AS name FROM d_org_unit FINAL WHERE _deleted = 0) AS u ON c.unit_id = u.id
COMMENT 'Claims of handlers that an issue is done';

CREATE VIEW pub_callback{{.OnCluster}} (
    id UUID COMMENT 'Key of the attempt',
    claim_id UUID COMMENT 'The claim that the reporter was to be asked about',
    at DateTime64(6, 'UTC') COMMENT 'When it was tried',
    method LowCardinality(String) COMMENT 'How',
    outcome LowCardinality(String) COMMENT 'ANSWERED, NO_ANSWER, REFUSED or WRONG_NUMBER'
) AS
SELECT id, claim_id, at, method, outcome FROM f_callback_attempt FINAL WHERE _deleted = 0
COMMENT 'Attempts to ask reporters whether a claim is true';

CREATE VIEW pub_feedback{{.OnCluster}} (
    id UUID COMMENT 'Key of the verdict',
    claim_id UUID COMMENT 'The claim that it is on',
    issue_id UUID COMMENT 'The issue of that claim',
    resolved LowCardinality(String) COMMENT 'YES, PARTLY or NO; only YES is a resolution',
    satisfaction Nullable(Int32) COMMENT '1 to 5; NULL if not said',
    pressured LowCardinality(String) COMMENT 'Whether the reporter was urged: YES, NO or UNSAID',
    collected_by LowCardinality(String) COMMENT 'SELF, INDEPENDENT or HANDLER; what a handler collects decides nothing',
    at DateTime64(6, 'UTC') COMMENT 'When it was given'
) AS
SELECT id, claim_id, issue_id, resolved, satisfaction, pressured, collected_by, at FROM f_feedback FINAL WHERE _deleted = 0
COMMENT 'Verdicts of reporters on claims';

CREATE VIEW pub_policy_rollout{{.OnCluster}} (
    policy_change_id UUID COMMENT 'The change of policy',
    state LowCardinality(Nullable(String)) COMMENT 'Where that change stands: PROPOSED, CONSULTED, PILOT, ADOPTED, EVALUATED, RETAINED, AMENDED or REPEALED',
    outcome_measure LowCardinality(Nullable(String)) COMMENT 'Code of the measure that it was to move, registered before the pilot; NULL before that',
    pre_registered_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When that was registered',
    region_code Nullable(String) COMMENT 'Code of a region in which it came into force',
    effective_from Date32 COMMENT 'First day on which it was in force there'
) AS
SELECT o.policy_change_id AS policy_change_id, c.state AS state, c.outcome_measure AS outcome_measure, c.pre_registered_at AS pre_registered_at,
    r.code AS region_code, o.effective_from AS effective_from
FROM (SELECT * FROM f_policy_rollout FINAL WHERE _deleted = 0) AS o
LEFT ANY JOIN (SELECT id, toNullable(state) AS state, outcome_measure, pre_registered_at FROM f_policy_change FINAL WHERE _deleted = 0) AS c ON o.policy_change_id = c.id
LEFT ANY JOIN (SELECT id, toNullable(code) AS code FROM d_region FINAL WHERE _deleted = 0) AS r ON o.region_id = r.id
COMMENT 'Where and since when changes of policy are in force';

-- +goose Down
SELECT throwIf(1, 'forward only');
