package postgres

import (
	"github.com/google/uuid"

	"groundwork"
)

// bulkTable is one table that a bulk load fills, with its rows.
type bulkTable struct {
	name    string
	columns []string
	rows    int
	write   func(c *copyRows, i int)
}

// bulkTables lists the tables of a bulk load in the order in which they refer to each other.
func bulkTables(b *groundwork.Bulk, source string, firstRef int64) []bulkTable {
	return []bulkTable{
		bulkVisits(b.Visits, source), bulkPlans(b.Plans, source), bulkSlots(b.Slots, source), bulkHistories(b.Histories), bulkParticipants(b.Visits), bulkAttestations(b.Attestations, source), bulkPolicyItems(b.PolicyItems, source),
		bulkPolicyChanges(b.PolicyChanges, source), bulkEvidence(b.Evidence, source), bulkRollouts(b.Rollouts, source),
		bulkOpinions(b.Opinions, source), bulkIssues(b.Issues, confidentialIssues(b), source, firstRef), bulkLinks(b.Links),
		bulkEvents(b.Events), bulkClaims(b.Claims, source), bulkAttempts(b.Attempts, source), bulkFeedback(b.Feedback, source),
		bulkLegs(b), bulkSpells(b), bulkCampaignIssues(b.Campaigns, source),
	}
}

// bulkTableNames are the tables that bulkTables fills.
var bulkTableNames = []string{"visit", "rota_plan", "rota_slot", "entity_event", "visit_participant", "attestation", "visit_policy_item", "policy_change", "evidence_link", "policy_rollout", "opinion", "issue", "issue_opinion", "issue_event", "claim", "callback_attempt", "feedback", "dispatch_leg", "clock_spell", "campaign_issue"}

func bulkVisits(rows []groundwork.Visit, source string) bulkTable {
	return bulkTable{"visit", []string{"id", "activity_kind", "notice", "site_id", "lead_id", "started_at", "ended_at", "citizens_met",
		"note_text", "note_unit_id", "note_created_at", "state", "version", "created_at", "recorded_by", "drawn"}, len(rows), func(c *copyRows, i int) {
		v := &rows[i]
		c.uuid(v.ID)
		copyText(c, v.ActivityKind)
		copyText(c, v.Notice)
		c.uuid(v.SiteID)
		c.uuid(v.LeadID)
		c.time(v.StartedAt)
		c.timeOrNull(v.EndedAt)
		c.int4OrNull(v.CitizensMet)
		copyTextOrNull(c, v.NoteText)
		c.uuidOrNull(v.NoteUnitID)
		c.timeOrNull(v.NoteCreatedAt)
		copyText(c, v.State)
		c.int4(v.Version)
		c.time(v.CreatedAt)
		copyText(c, source)
		c.boolOrNull(v.Drawn)
	}}
}

func bulkParticipants(visits []groundwork.Visit) bulkTable {
	type participant struct{ visit, post uuid.UUID }
	var rows []participant
	for i := range visits {
		for _, post := range visits[i].TakePartIDs {
			rows = append(rows, participant{visits[i].ID, post})
		}
	}
	return bulkTable{"visit_participant", []string{"visit_id", "post_id"}, len(rows), func(c *copyRows, i int) {
		c.uuid(rows[i].visit)
		c.uuid(rows[i].post)
	}}
}

func bulkAttestations(rows []groundwork.Attestation, source string) bulkTable {
	return bulkTable{"attestation", []string{"id", "visit_id", "voice", "says", "nothing_raised", "at", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		a := &rows[i]
		c.uuid(a.ID)
		c.uuid(a.VisitID)
		copyText(c, a.Voice)
		copyText(c, a.Says)
		c.bool(a.NothingRaised)
		c.time(a.At)
		c.time(a.At)
		copyText(c, source)
	}}
}

func bulkPolicyItems(rows []groundwork.VisitPolicyItem, source string) bulkTable {
	return bulkTable{"visit_policy_item", []string{"id", "visit_id", "policy_version_id", "questions_asked", "answered", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		p := &rows[i]
		c.uuid(p.ID)
		c.uuid(p.VisitID)
		c.uuid(p.PolicyVersionID)
		c.int4(p.QuestionsAsked)
		c.int4(p.Answered)
		c.time(p.CreatedAt)
		copyText(c, source)
	}}
}

func bulkPolicyChanges(rows []groundwork.PolicyChange, source string) bulkTable {
	return bulkTable{"policy_change", []string{"id", "policy_id", "owner_unit_id", "summary", "state", "version", "outcome_measure", "outcome_direction", "minimal_effect",
		"window_days", "anticipation_days", "pre_registered_at", "proposed_at", "consulted_at", "pilot_at", "ended_at", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		p := &rows[i]
		c.uuid(p.ID)
		c.uuid(p.PolicyID)
		c.uuid(p.OwnerUnitID)
		copyText(c, p.Summary)
		copyText(c, p.State)
		c.int4(p.Version)
		if o := p.Outcome; o == nil {
			for range 5 {
				c.null()
			}
		} else {
			copyText(c, o.Measure)
			copyText(c, o.Direction)
			c.floatOrNull(&o.MinimalEffect)
			c.int4(o.WindowDays)
			c.int4(o.AnticipationDays)
		}
		c.timeOrNull(p.PreRegisteredAt)
		c.time(p.ProposedAt)
		c.timeOrNull(p.ConsultedAt)
		c.timeOrNull(p.PilotAt)
		c.timeOrNull(p.EndedAt)
		c.time(p.CreatedAt)
		copyText(c, source)
	}}
}

func bulkEvidence(rows []groundwork.EvidenceLink, source string) bulkTable {
	return bulkTable{"evidence_link", []string{"id", "policy_change_id", "issue_id", "visit_id", "campaign_id", "measure_snapshot_id", "evidence_at", "linked_at", "recorded_by"},
		len(rows), func(c *copyRows, i int) {
			e := &rows[i]
			c.uuid(e.ID)
			c.uuid(e.PolicyChangeID)
			c.uuidOrNull(e.IssueID)
			c.uuidOrNull(e.VisitID)
			c.uuidOrNull(e.CampaignID)
			c.uuidOrNull(e.MeasureSnapshotID)
			c.time(e.EvidenceAt)
			c.time(e.LinkedAt)
			copyText(c, source)
		}}
}

func bulkRollouts(rows []groundwork.PolicyRollout, source string) bulkTable {
	return bulkTable{"policy_rollout", []string{"policy_change_id", "region_id", "effective_from", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		c.uuid(rows[i].PolicyChangeID)
		c.uuid(rows[i].RegionID)
		c.date(rows[i].EffectiveFrom)
		copyText(c, source)
	}}
}

func bulkPlans(rows []groundwork.RotaPlan, source string) bulkTable {
	return bulkTable{"rota_plan", []string{"id", "name", "version", "region_id", "rank", "activity_kind", "cadence", "site_kind", "period_from", "period_to",
		"created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		p := &rows[i]
		c.uuid(p.ID)
		copyText(c, p.Name)
		c.int4(p.Version)
		c.uuid(p.RegionID)
		copyText(c, p.Rank)
		copyText(c, p.ActivityKind)
		copyText(c, p.Cadence)
		copyTextOrNull(c, p.SiteKind)
		c.date(p.PeriodFrom)
		c.date(p.PeriodTo)
		c.time(p.CreatedAt)
		copyText(c, source)
	}}
}

func bulkSlots(rows []groundwork.RotaSlot, source string) bulkTable {
	return bulkTable{"rota_slot", []string{"id", "plan_id", "post_id", "activity_kind", "site_kind", "region_id", "window_from", "window_to", "state", "visit_id",
		"swapped_for_id", "version", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		s := &rows[i]
		c.uuid(s.ID)
		c.uuid(s.PlanID)
		c.uuid(s.PostID)
		copyText(c, s.ActivityKind)
		copyTextOrNull(c, s.SiteKind)
		c.uuid(s.RegionID)
		c.date(s.WindowFrom)
		c.date(s.WindowTo)
		copyText(c, s.State)
		c.uuidOrNull(s.VisitID)
		c.uuidOrNull(s.SwappedForID)
		c.int4(s.Version)
		c.time(s.CreatedAt)
		copyText(c, source)
	}}
}

func bulkHistories(rows []groundwork.EntityEvent) bulkTable {
	return bulkTable{"entity_event", []string{"noun", "entity_id", "seq", "kind", "from_state", "to_state", "at", "recorded_at", "actor", "actor_role", "actor_unit_id",
		"reason", "payload"}, len(rows), func(c *copyRows, i int) {
		e := &rows[i]
		copyText(c, e.Noun)
		c.uuid(e.EntityID)
		c.int4(e.Seq)
		copyText(c, e.Kind)
		copyTextOrNull(c, e.FromState)
		copyText(c, e.ToState)
		c.time(e.At)
		c.time(e.RecordedAt)
		copyText(c, e.Actor.ID)
		copyText(c, e.Actor.Role)
		c.uuidOrNull(e.Actor.UnitID)
		copyTextOrNull(c, e.Reason)
		if e.Payload == nil {
			e.Payload = map[string]any{}
		}
		c.json(e.Payload)
	}}
}

func bulkOpinions(rows []groundwork.Opinion, source string) bulkTable {
	return bulkTable{"opinion", []string{"id", "source", "channel", "kind", "received_at", "received_precision", "occurred_at", "visit_id",
		"reporter_pid", "subject", "text", "latitude", "longitude", "precision_m", "region_id", "site_id", "confidentiality", "supported",
		"opposed", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		o := &rows[i]
		c.uuid(o.ID)
		copyText(c, o.Source)
		copyText(c, o.Channel)
		copyText(c, o.Kind)
		c.time(o.ReceivedAt)
		copyText(c, o.ReceivedPrecision)
		c.timeOrNull(o.OccurredAt)
		c.uuidOrNull(o.VisitID)
		c.uuidOrNull(o.ReporterPID)
		copyText(c, o.Subject)
		copyText(c, o.Text)
		c.floatOrNull(o.Latitude)
		c.floatOrNull(o.Longitude)
		c.int4OrNull(o.PrecisionM)
		c.uuidOrNull(o.RegionID)
		c.uuidOrNull(o.SiteID)
		copyText(c, o.Confidentiality)
		c.int4(o.Supported)
		c.int4(o.Opposed)
		c.time(o.CreatedAt)
		copyText(c, source)
	}}
}

// confidentialIssues are those of which something was told in confidence; the trigger that keeps this is put aside in a load.
func confidentialIssues(rows *groundwork.Bulk) map[uuid.UUID]bool {
	opinions, issues := map[uuid.UUID]bool{}, map[uuid.UUID]bool{}
	for i := range rows.Opinions {
		if rows.Opinions[i].Confidentiality == groundwork.Confidential {
			opinions[rows.Opinions[i].ID] = true
		}
	}
	for _, l := range rows.Links {
		if opinions[l.OpinionID] {
			issues[l.IssueID] = true
		}
	}
	return issues
}

func bulkIssues(rows []groundwork.BulkIssue, confidential map[uuid.UUID]bool, source string, firstRef int64) bulkTable {
	columns := []string{"id", "public_ref", "category_id", "severity", "difficulty", "kind", "channel", "title", "region_id", "site_id",
		"source_visit_id", "carrying_post_id", "target_version_id", "response_due_at", "due_at", "next_due_at", "next_due_kind", "updated_at", "created_at", "recorded_by", "confidential", "seq", "state"}
	return bulkTable{"issue", append(columns, bulkProgressColumns...), len(rows), func(c *copyRows, i int) {
		o := &rows[i].Issue
		c.uuid(o.ID)
		copyText(c, publicRef(uint64(firstRef+rows[i].Number)))
		c.uuidOrNull(o.CategoryID)
		copyText(c, o.Severity)
		copyText(c, o.Difficulty)
		copyText(c, o.Kind)
		copyText(c, o.Channel)
		copyText(c, o.Title)
		c.uuidOrNull(o.RegionID)
		c.uuidOrNull(o.SiteID)
		c.uuidOrNull(o.SourceVisitID)
		c.uuidOrNull(o.CarryingPostID)
		c.uuidOrNull(o.TargetVersionID)
		c.timeOrNull(o.ResponseDueAt)
		c.timeOrNull(o.DueAt)
		at, kind := dueColumns(rows[i].Next)
		c.timeOrNull(at)
		copyTextOrNull(c, kind)
		c.time(o.UpdatedAt)
		c.time(o.CreatedAt)
		copyText(c, source)
		c.bool(confidential[o.ID])
		c.int4(o.Seq)
		copyText(c, o.State)
		copyProgress(c, &o.Progress)
	}}
}

// bulkProgressColumns are those of copyProgress.
var bulkProgressColumns = []string{"closure_type", "origin_at", "first_response_at", "claimed_at", "resolved_at", "closed_at", "merged_into_id",
	"lead_unit_id", "paused_since", "paused_seconds", "return_count", "dispute_count", "reopen_count", "escalation_level", "opinion_count"}

func copyProgress(c *copyRows, p *groundwork.Progress) {
	copyTextOrNull(c, p.ClosureType)
	c.time(p.OriginAt)
	c.timeOrNull(p.FirstResponseAt)
	c.timeOrNull(p.ClaimedAt)
	c.timeOrNull(p.ResolvedAt)
	c.timeOrNull(p.ClosedAt)
	c.uuidOrNull(p.MergedIntoID)
	c.uuidOrNull(p.LeadUnitID)
	c.timeOrNull(p.PausedSince)
	c.int8(p.PausedSeconds)
	c.int4(p.ReturnCount)
	c.int4(p.DisputeCount)
	c.int4(p.ReopenCount)
	c.int4(p.EscalationLevel)
	c.int4(p.OpinionCount)
}

func bulkLinks(rows []groundwork.BulkLink) bulkTable {
	return bulkTable{"issue_opinion", []string{"issue_id", "opinion_id", "linked_at", "linked_by"}, len(rows), func(c *copyRows, i int) {
		c.uuid(rows[i].IssueID)
		c.uuid(rows[i].OpinionID)
		c.time(rows[i].At)
		copyText(c, rows[i].By)
	}}
}

func bulkEvents(rows []groundwork.Event) bulkTable {
	columns := []string{"issue_id", "seq", "kind", "from_state", "to_state", "at", "known_at", "recorded_at", "actor", "actor_role", "actor_unit_id",
		"reason_code", "reason", "payload"}
	return bulkTable{"issue_event", append(columns, bulkProgressColumns...), len(rows), func(c *copyRows, i int) {
		e := &rows[i]
		c.uuid(e.IssueID)
		c.int4(e.Seq)
		copyText(c, e.Kind)
		copyTextOrNull(c, e.FromState)
		copyText(c, e.State)
		c.time(e.At)
		c.time(e.KnownAt)
		c.time(e.RecordedAt)
		copyText(c, e.Actor.ID)
		copyText(c, e.Actor.Role)
		c.uuidOrNull(e.Actor.UnitID)
		code, words := codeOrWords(e)
		copyTextOrNull(c, code)
		copyTextOrNull(c, words)
		c.json(e.Payload)
		copyProgress(c, &e.Progress)
	}}
}

func bulkClaims(rows []groundwork.Claim, source string) bulkTable {
	return bulkTable{"claim", []string{"id", "issue_id", "n", "kind", "source", "text", "legal_basis", "appeal_notice", "receipt", "evidence",
		"claimed_at", "claimed_precision", "unit_id", "signed_by", "reviewed_by", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		o := &rows[i]
		c.uuid(o.ID)
		c.uuid(o.IssueID)
		c.int4(o.N)
		copyTextOrNull(c, o.Kind)
		copyText(c, o.Source)
		copyText(c, o.Text)
		copyTextOrNull(c, o.LegalBasis)
		copyTextOrNull(c, o.AppealNotice)
		copyTextOrNull(c, o.Receipt)
		c.texts(o.Evidence)
		c.time(o.ClaimedAt)
		copyText(c, o.ClaimedPrecision)
		c.uuidOrNull(o.UnitID)
		copyTextOrNull(c, o.SignedBy)
		copyTextOrNull(c, o.ReviewedBy)
		c.time(o.CreatedAt)
		copyText(c, source)
	}}
}

func bulkAttempts(rows []groundwork.CallbackAttempt, source string) bulkTable {
	return bulkTable{"callback_attempt", []string{"id", "claim_id", "at", "method", "agent_unit_id", "outcome", "created_at", "recorded_by"}, len(rows),
		func(c *copyRows, i int) {
			o := &rows[i]
			c.uuid(o.ID)
			c.uuid(o.ClaimID)
			c.time(o.At)
			copyText(c, o.Method)
			c.uuidOrNull(o.AgentUnitID)
			copyText(c, o.Outcome)
			c.time(o.At)
			copyText(c, source)
		}}
}

func bulkFeedback(rows []groundwork.Feedback, source string) bulkTable {
	return bulkTable{"feedback", []string{"id", "claim_id", "issue_id", "reporter_pid", "resolved", "satisfaction", "pressured", "collected_by",
		"collected_unit_id", "comment", "at", "created_at", "recorded_by"}, len(rows), func(c *copyRows, i int) {
		o := &rows[i]
		c.uuid(o.ID)
		c.uuid(o.ClaimID)
		c.uuid(o.IssueID)
		c.uuidOrNull(o.ReporterPID)
		copyText(c, o.Resolved)
		c.int4OrNull(o.Satisfaction)
		copyText(c, o.Pressured)
		copyText(c, o.CollectedBy)
		c.uuidOrNull(o.CollectedUnitID)
		copyTextOrNull(c, o.Comment)
		c.time(o.At)
		c.time(o.CreatedAt)
		copyText(c, source)
	}}
}

// bulkLegs derives the legs of the issues from their events.
func bulkLegs(b *groundwork.Bulk) bulkTable {
	var legs []groundwork.Leg
	for _, life := range lives(b) {
		legs = append(legs, groundwork.Legs(life)...)
	}
	columns := []string{"issue_id", "n", "unit_id", "role", "sent_at", "ack_due_at", "accepted_at", "returned_at", "return_reason"}
	return bulkTable{"dispatch_leg", columns, len(legs), func(c *copyRows, i int) {
		l := &legs[i]
		c.uuid(l.IssueID)
		c.int4(l.N)
		c.uuid(l.UnitID)
		copyText(c, l.Role)
		c.time(l.SentAt)
		c.timeOrNull(l.AckDueAt)
		c.timeOrNull(l.AcceptedAt)
		c.timeOrNull(l.ReturnedAt)
		copyTextOrNull(c, l.ReturnReason)
	}}
}

// bulkSpells derives the clock spells in the same way.
func bulkSpells(b *groundwork.Bulk) bulkTable {
	var spells []groundwork.Spell
	for _, life := range lives(b) {
		spells = append(spells, groundwork.Spells(life[len(life)-1].Progress, life)...)
	}
	columns := []string{"issue_id", "clock", "n", "state", "started_at", "ended_at", "reason"}
	return bulkTable{"clock_spell", columns, len(spells), func(c *copyRows, i int) {
		s := &spells[i]
		c.uuid(s.IssueID)
		copyText(c, s.Clock)
		c.int4(s.N)
		copyText(c, s.State)
		c.time(s.StartedAt)
		c.timeOrNull(s.EndedAt)
		copyText(c, s.Reason)
	}}
}

// lives cuts the events into those of one issue each.
func lives(b *groundwork.Bulk) (all [][]groundwork.Event) {
	from := 0
	for i := range b.Events {
		if i+1 == len(b.Events) || b.Events[i+1].IssueID != b.Events[i].IssueID {
			all = append(all, b.Events[from:i+1])
			from = i + 1
		}
	}
	return all
}
