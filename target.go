package groundwork

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// TimeBase says which clock a target counts on.
type TimeBase string

// The time bases.
const (
	WallTime    TimeBase = "WALL"
	WorkingTime TimeBase = "WORKING"
)

// TargetVersion is what is promised for issues of a category and severity: how soon a unit accepts after its dispatch, how soon the
// reporter hears from somebody, and how soon the issue is done, both from its origin. A version never changes; a better one follows.
// An issue keeps the version that was in force at its origin.
type TargetVersion struct {
	ID                uuid.UUID
	CategoryID        *uuid.UUID // with everything below; nil = all categories that have none of their own
	Severity          Severity
	AckMinutes        int
	ResponseMinutes   int
	ResolutionMinutes int
	TimeBase          TimeBase
	PublishedAt       time.Time
	ValidFrom         time.Time
	CreatedAt         time.Time
}

// TargetStore keeps the versions of targets.
type TargetStore interface {
	TargetVersions(ctx context.Context, f TargetFilter, p PageRequest) (Page[*TargetVersion], error) // the latest in force first
	TargetVersionsByID(ctx context.Context, ids []uuid.UUID) (map[uuid.UUID]*TargetVersion, error)
	PublishTarget(ctx context.Context, by Actor, v TargetVersion) (*TargetVersion, Receipt, error)
}

// TargetFilter narrows a list of target versions.
type TargetFilter struct {
	CategoryIDs []uuid.UUID
	Severities  []Severity
}

// maxTargetMinutes keeps targets and audited minimums below ten years, and their arithmetic bounded.
const maxTargetMinutes = 10 * 366 * 24 * 60

// Validate examines a new version, seen at now. No promise is made for the past: a version comes into force when it is published or
// later.
func (v TargetVersion) Validate(now time.Time) error {
	return firstError(
		oneOf("severity", v.Severity, SeverityLow, SeverityNormal, SeverityHigh, SeverityUrgent),
		oneOf("timeBase", v.TimeBase, WallTime, WorkingTime),
		check(v.AckMinutes > 0 && v.AckMinutes <= v.ResolutionMinutes, "ackMinutes", "%d minutes to accept: give 1 up to resolutionMinutes", v.AckMinutes),
		check(v.ResponseMinutes > 0 && v.ResponseMinutes <= v.ResolutionMinutes, "responseMinutes", "%d minutes to respond: give 1 up to resolutionMinutes", v.ResponseMinutes),
		check(v.ResolutionMinutes <= maxTargetMinutes, "resolutionMinutes", "%d minutes are more than ten years", v.ResolutionMinutes),
		check(!v.PublishedAt.After(now), "publishedAt", "a target cannot be published in the future; leave publishedAt out"),
		check(!v.ValidFrom.Before(v.PublishedAt), "validFrom", "a target cannot hold before it is published; give a time from %s on", v.PublishedAt.Format(time.RFC3339)),
	)
}

// Due is when so many minutes after t have passed on the target's clock.
func (v TargetVersion) Due(c Calendar, t time.Time, minutes int) time.Time {
	d := time.Duration(minutes) * time.Minute
	if v.TimeBase == WorkingTime {
		return Moment(c.AddWorking(t, d))
	}
	return Moment(t.Add(d))
}

// Reasons of an escalation, as codes.
const (
	AtFourFifths   = "TARGET_80"  // 80 % of the time to resolution has passed
	AtTarget       = "TARGET_100" // all of it
	AtHalfAgain    = "TARGET_150" // half as much again
	AtThirdDispute = "DISPUTE_3"
	AtSecondReopen = "REOPEN_2"
)

// thresholds are the shares of the time to resolution at which an issue is escalated, in percent.
var thresholds = []struct {
	reason  string
	percent int
}{{AtFourFifths, 80}, {AtTarget, 100}, {AtHalfAgain, 150}}

// promise notes in the payload of a registration what was promised and when it is due, so that no later change of targets or
// calendar can move it.
func (v *TargetVersion) promise(c Calendar, origin time.Time, payload map[string]any) {
	payload[payloadTargetVersion] = v.ID.String()
	payload[payloadResponseDue] = payloadMoment(v.Due(c, origin, v.ResponseMinutes))
	payload[payloadDue] = payloadMoment(v.Due(c, origin, v.ResolutionMinutes))
	at := map[string]any{}
	for _, t := range thresholds {
		at[t.reason] = payloadMoment(v.Due(c, origin, v.ResolutionMinutes*t.percent/100))
	}
	payload[payloadEscalations] = at
}
