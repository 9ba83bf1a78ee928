-- What the effects of policies and campaigns, and the road from evidence to policy, are reckoned from (measures P1 to P3). Only campaigns that were selected are told of, no
-- topics, no reasons.

-- +goose Up
CREATE VIEW pub_policy_change{{.OnCluster}} (
    id UUID COMMENT 'Key of the change of policy',
    policy_id UUID COMMENT 'The policy that it changes',
    state LowCardinality(String) COMMENT 'Where it stands: PROPOSED, CONSULTED, PILOT, ADOPTED, EVALUATED, RETAINED, AMENDED, REPEALED or DROPPED',
    outcome_measure LowCardinality(Nullable(String)) COMMENT 'Code of the measure that it was to move, registered before the pilot; NULL before that, as the five columns after it',
    outcome_direction LowCardinality(Nullable(String)) COMMENT 'AT_MOST: a fall is wanted; AT_LEAST: a rise',
    minimal_effect Nullable(Float64) COMMENT 'Smallest effect worth having, in the unit of the measure',
    window_days Nullable(Int32) COMMENT 'Days after it takes effect in a region over which it is judged',
    anticipation_days Nullable(Int32) COMMENT 'Days before it takes effect in which people may already act on it',
    pre_registered_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When the outcome was registered',
    first_evidence_at Nullable(DateTime64(6, 'UTC')) COMMENT 'Of when the earliest evidence linked to it speaks',
    evidence_links UInt64 COMMENT 'How many issues, visits, campaigns and snapshots of measures are linked to it as evidence',
    proposed_at DateTime64(6, 'UTC') COMMENT 'When it was proposed',
    consulted_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When people had been consulted; NULL if not yet, as the columns after it',
    pilot_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When its pilot was begun; pub_policy_rollout tells where and from which days',
    adopted_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was adopted',
    evaluated_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was evaluated from outside the unit that owns the policy',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was retained, amended, repealed or dropped'
) AS
SELECT c.id AS id, c.policy_id AS policy_id, c.state AS state, c.outcome_measure AS outcome_measure, c.outcome_direction AS outcome_direction, c.minimal_effect AS minimal_effect,
    c.window_days AS window_days, c.anticipation_days AS anticipation_days, c.pre_registered_at AS pre_registered_at, e.first AS first_evidence_at, e.links AS evidence_links,
    c.proposed_at AS proposed_at, c.consulted_at AS consulted_at, c.pilot_at AS pilot_at, c.adopted_at AS adopted_at, c.evaluated_at AS evaluated_at, c.ended_at AS ended_at
FROM (SELECT * FROM f_policy_change FINAL WHERE _deleted = 0) AS c
LEFT ANY JOIN (SELECT policy_change_id, toNullable(min(evidence_at)) AS first, count() AS links FROM f_evidence_link FINAL WHERE _deleted = 0 GROUP BY policy_change_id) AS e
    ON e.policy_change_id = c.id
COMMENT 'Changes of policies, with what was registered before they took effect and how far they came';

CREATE VIEW pub_policy_evaluation{{.OnCluster}} (
    policy_change_id UUID COMMENT 'The change of policy',
    estimate Float64 COMMENT 'Effect on the registered outcome, in its unit, as evaluated',
    ci_low Float64 COMMENT 'Lower end of its interval',
    ci_high Float64 COMMENT 'Upper end of its interval',
    treated_regions Int32 COMMENT 'Regions under it that the evaluation rests on',
    control_regions Int32 COMMENT 'Regions that they were compared with',
    as_of DateTime64(6, 'UTC') COMMENT 'Of when the evaluation speaks'
) AS
SELECT policy_change_id, estimate, ci_low, ci_high, treated_regions, control_regions, as_of FROM f_policy_evaluation FINAL WHERE _deleted = 0
COMMENT 'What changes of policies were found to have done, whatever it was';

CREATE VIEW pub_campaign{{.OnCluster}} (
    id UUID COMMENT 'Key of the campaign',
    category_id Nullable(UUID) COMMENT 'Its matter; NULL = whatever people raise there',
    origin LowCardinality(String) COMMENT 'What it was nominated by: measure H2, H3 or H4, or LEADER',
    state LowCardinality(String) COMMENT 'Where it stands: SELECTED, ACTIVE, REVIEW, EXTENDED, EXITED or FAILED',
    period_from Nullable(Date32) COMMENT 'First day that it was planned for',
    period_to Nullable(Date32) COMMENT 'The day after the last that it was planned for',
    selected_at DateTime64(6, 'UTC') COMMENT 'When it was selected',
    started_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it began; NULL if not yet',
    ended_at Nullable(DateTime64(6, 'UTC')) COMMENT 'When it was over; NULL if not yet',
    reviews Int32 COMMENT 'How often it was reviewed'
) AS
SELECT id, category_id, origin, state, period_from, period_to, assumeNotNull(selected_at) AS selected_at, started_at, ended_at, reviews
FROM f_campaign FINAL WHERE _deleted = 0 AND f_campaign.selected_at IS NOT NULL
COMMENT 'Campaigns that were selected';

CREATE VIEW pub_campaign_region{{.OnCluster}} (
    campaign_id UUID COMMENT 'The campaign',
    region_code Nullable(String) COMMENT 'Code of a region',
    role LowCardinality(String) COMMENT 'TREATED: the campaign is there; COMPARISON: frozen at selection to compare with'
) AS
SELECT a.campaign_id AS campaign_id, r.code AS region_code, a.role AS role
FROM (SELECT * FROM f_campaign_region FINAL WHERE _deleted = 0 AND campaign_id IN (SELECT id FROM f_campaign FINAL WHERE _deleted = 0 AND selected_at IS NOT NULL)) AS a
LEFT ANY JOIN (SELECT id, toNullable(code) AS code FROM d_region FINAL WHERE _deleted = 0) AS r ON a.region_id = r.id
COMMENT 'Where campaigns that were selected are held, and what they are compared with';

-- +goose Down
SELECT throwIf(1, 'forward only');
