-- Mirrors that grow with the work are merged to one part once nothing came for ten minutes: FINAL over one merged part costs nothing.
-- docs/decisions/0290-mirrors-at-rest.md

-- +goose Up
ALTER TABLE f_issue{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_issue_event{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_opinion{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_issue_opinion{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_claim{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_feedback{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_callback_attempt{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_clock_spell{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_dispatch_leg{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_visit{{.OnCluster}} MODIFY SETTING {{.AtRest}};
ALTER TABLE f_slot{{.OnCluster}} MODIFY SETTING {{.AtRest}};

-- +goose Down
SELECT throwIf(1, 'forward only');
