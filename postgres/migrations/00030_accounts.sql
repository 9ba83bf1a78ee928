-- What accounts may do: who they are is proven by signed tokens, what they may do stands here, so that a role can be taken away at once,
-- whoever issued the tokens.

-- +goose Up
CREATE TABLE role_binding (
    id          uuid PRIMARY KEY,
    account     text NOT NULL CHECK (account <> '' AND account NOT IN ('anonymous', 'system')),
    role        text NOT NULL CHECK (role IN ('INTAKE', 'DISPATCHER', 'HANDLER', 'UNIT_HEAD', 'LEADER', 'SUPERVISOR', 'CALLER', 'CAMPAIGN_LEAD', 'POLICY_OWNER',
                                              'ASSESSOR', 'ANALYST', 'RESEARCHER', 'PRIVACY_OFFICER')),
    unit_id     uuid REFERENCES org_unit,
    region_ids  uuid[] NOT NULL DEFAULT '{}',
    official_id uuid REFERENCES official,
    valid_from  timestamptz NOT NULL,
    valid_to    timestamptz CHECK (valid_to >= valid_from),
    created_at  timestamptz NOT NULL DEFAULT now(),
    recorded_by text NOT NULL DEFAULT current_user,
    CHECK (unit_id IS NOT NULL OR role NOT IN ('HANDLER', 'UNIT_HEAD', 'CALLER', 'ASSESSOR')),
    CHECK (official_id IS NOT NULL OR role <> 'LEADER')
);
CREATE UNIQUE INDEX role_binding_open ON role_binding (account, role, unit_id) NULLS NOT DISTINCT WHERE valid_to IS NULL;
CREATE INDEX role_binding_created ON role_binding (created_at DESC, id DESC);
COMMENT ON COLUMN role_binding.account IS 'The subject (sub) of the account''s tokens.';
COMMENT ON COLUMN role_binding.region_ids IS 'Roots of the region subtrees that the role is bound to; none = bound to no region.';

-- +goose Down
SELECT 1 / 0; -- forward only
