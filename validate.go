package groundwork

import (
	"regexp"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/width"
)

// The Validate methods examine what can be known of a new noun by itself; what depends on others (does the parent exist, is it a
// rung above) the store examines.

var regionCode = regexp.MustCompile(`^[0-9]{12}$`)

// Validate examines a new region.
func (r Region) Validate() error {
	return firstError(
		check(regionCode.MatchString(r.Code), "code", "region code %q is not 12 digits", r.Code),
		oneOf("level", r.Level, RegionLevels...),
		named(r.Name),
		check((r.Level == Province) == (r.ParentID == nil), "parentId", "a region of level %s %s", r.Level, parentRule(r.Level)),
		located(r.Latitude, r.Longitude),
		check(r.UrbanRural == nil || *r.UrbanRural == "URBAN" || *r.UrbanRural == "RURAL", "urbanRural", "give URBAN or RURAL"),
		ordered("validTo", r.ValidFrom, r.ValidTo),
	)
}

func parentRule(l RegionLevel) string {
	if l == Province {
		return "has no parent; leave it out"
	}
	return "needs its parent's id"
}

// ValidateParent examines that parent is the region one rung above. The rungs between may not be skipped.
func (r Region) ValidateParent(parent *Region) error {
	if parent == nil {
		return Invalid("parentId", "region %s does not exist; create the parent first", r.ParentID)
	}
	at := slices.Index(RegionLevels, r.Level)
	if at < 1 || RegionLevels[at-1] != parent.Level {
		return Invalid("parentId", "region %s is of level %s; a %s lies directly below a %s", parent.Code, parent.Level, r.Level, RegionLevels[max(0, at-1)])
	}
	return nil
}

// Validate examines the population of a region.
func (p Population) Validate() error {
	return firstError(
		check(p.Year >= 1900 && p.Year <= 2200, "year", "year %d is not between 1900 and 2200", p.Year),
		check(p.Persons >= 0, "persons", "%d persons cannot be; give 0 or more", p.Persons),
		check(p.Source != "", "source", "a population needs its source"),
	)
}

// Validate examines a new site.
func (s Site) Validate() error {
	return firstError(
		oneOf("kind", s.Kind, Factory, Rural, Community, School, Hospital, GovtWindow, OtherSite),
		named(s.Name),
		located(s.Latitude, s.Longitude),
		ordered("eligibleTo", s.EligibleFrom, s.EligibleTo),
	)
}

// Validate examines a new category or version of one. Path follows from its parent.
func (c Category) Validate() error {
	return firstError(
		check(strings.TrimSpace(c.Code) != "", "code", "a category needs a code"),
		named(c.Name),
		ordered("validTo", &c.ValidFrom, c.ValidTo),
		auditedMinimum(c.AuditedMinimumMinutes),
	)
}

// Validate examines what a line of a file says of its category.
func (r CategoryRow) Validate() error {
	return firstError(
		check(len(r.Path) > 0, "level1", "a category needs a name"),
		auditedMinimum(r.AuditedMinimumMinutes),
	)
}

func auditedMinimum(minutes *int) error {
	return check(minutes == nil || *minutes >= 1 && *minutes <= maxTargetMinutes, "auditedMinimumMinutes",
		"an audited minimum is of 1 minute to ten years; give 1 to %d, or leave it out", maxTargetMinutes)
}

// Validate examines a new unit.
func (u OrgUnit) Validate() error {
	return firstError(named(u.Name), oneOf("kind", u.Kind, PartyUnit, GovtUnit, UtilityUnit, EnterpriseUnit))
}

// Validate examines a new entry of the dispatch catalogue.
func (r DispatchRule) Validate() error {
	return firstError(
		oneOf("regionLevel", r.RegionLevel, RegionLevels...),
		check(r.Basis != "", "basis", "an entry of the catalogue names its basis, such as the duty list"),
		check(!r.ValidFrom.IsZero(), "validFrom", "an entry of the catalogue needs its first day"),
		ordered("validTo", &r.ValidFrom, r.ValidTo),
	)
}

// Validate examines a new official.
func (o Official) Validate() error {
	return check(strings.TrimSpace(o.Pseudonym) != "", "pseudonym", "an official needs a pseudonymous key; the name belongs in the vault")
}

// Validate examines that an official is to hold a post.
func (h PostHolding) Validate() error {
	return firstError(
		oneOf("rank", h.Rank, RankProvincial, RankPrefecture, RankCounty, RankTownship, RankSection),
		check(h.Title != "", "title", "a post needs a title"),
		check(!h.HeldFrom.IsZero(), "heldFrom", "a post needs the first day on which it is held"),
		ordered("heldTo", &h.HeldFrom, h.HeldTo),
	)
}

// Validate examines a new visit, seen at now.
func (v Visit) Validate(now time.Time) error {
	over := v.State != VisitPlanned
	return firstError(
		oneOf("activityKind", v.ActivityKind, Propagation, Research, Reception, OnsiteOffice),
		oneOf("notice", v.Notice, "ANNOUNCED", "UNANNOUNCED"),
		check(v.State == VisitPlanned || v.State == VisitHeld || v.State == VisitRecorded, "state",
			"a visit is entered as HELD or RECORDED; plan one that is to come, and take the steps of its life from there"),
		check(!v.StartedAt.IsZero(), "startedAt", "a visit needs the time of its start"),
		check(!over || v.EndedAt != nil, "endedAt", "a visit that is %s has ended; say when", v.State),
		check(!over || !v.StartedAt.After(now), "startedAt", "a visit that is %s cannot start in the future", v.State),
		check(v.EndedAt == nil || !v.EndedAt.Before(v.StartedAt), "endedAt", "the visit ends before it starts"),
		check(v.CitizensMet == nil || *v.CitizensMet >= 0, "citizensMet", "the number of citizens met cannot be negative"),
		check((v.NoteText == nil) == (v.NoteUnitID == nil), "noteUnitId", "a note and the unit of its author go together"),
		check(v.State != VisitRecorded || v.NoteText != nil, "noteText", "a visit that is %s has its note", v.State),
	)
}

// Validate examines a new opinion, seen at now.
func (o Opinion) Validate(now time.Time) error {
	return firstError(
		oneOf("channel", o.Channel, Channels...),
		oneOf("kind", o.Kind, OpinionKinds...),
		check(strings.TrimSpace(o.Subject+o.Text) != "", "text", "an opinion says something: give a subject or a text"),
		check(!o.ReceivedAt.After(now), "receivedAt", "%s lies in the future; give a time up to now", o.ReceivedAt.Format(time.RFC3339)),
		check(o.OccurredAt == nil || !o.OccurredAt.After(now), "occurredAt", "what the opinion tells of cannot lie in the future"),
		check(o.VisitID == nil || o.Channel == ChannelVisit || o.Channel == ChannelReception, "channel",
			"%s: what was said at a visit came by VISIT, or by RECEPTION; give one of these, or leave visitId out", o.Channel),
		check(o.PrecisionM == nil || *o.PrecisionM >= 0, "precisionM", "a precision in metres cannot be negative"),
		oneOf("confidentiality", orElse(o.Confidentiality, "NAME_HIDDEN"), "PUBLIC", "NAME_HIDDEN", Confidential),
		located(o.Latitude, o.Longitude),
		o.Contact.validate(),
	)
}

// Validate examines a registration: who may open an issue, on at least one opinion.
func (r Registration) Validate() error {
	allowed := rows(Lifecycle, func(t Transition) bool {
		return t.Kind == EventRegistered && slices.Contains(t.Roles, r.Actor.Role)
	})
	if len(allowed) == 0 {
		return Errorf(CodeForbidden, "registration is not for role %s; it is for %s", r.Actor.Role,
			join(rolesOf(rows(Lifecycle, func(t Transition) bool { return t.Kind == EventRegistered }))))
	}
	return firstError(
		check(r.DueAt == nil || r.Actor.Role == RoleSystem, "dueAt", "due times follow from the target in force; only an import gives one"),
		check(len(r.OpinionIDs) > 0, "opinionIds", "an issue rests on at least one opinion; submit it first"),
		oneOf("severity", orElse(r.Severity, SeverityNormal), Severities...),
		oneOf("difficulty", orElse(r.Difficulty, Routine), Routine, CrossUnit, Legacy, PolicyGap),
	)
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func check(ok bool, field, format string, args ...any) error {
	if ok {
		return nil
	}
	return Invalid(field, format, args...)
}

func oneOf[T ~string](field string, value T, allowed ...T) error {
	return check(slices.Contains(allowed, value), field, "%s %q is unknown; give one of %s", field, value, join(allowed))
}

// blank reports whether a text says nothing: spaces are no words.
func blank(s string) bool { return strings.TrimSpace(s) == "" }

func named(name string) error {
	return check(!blank(name), "name", "give a name")
}

func located(latitude, longitude *float64) error {
	return firstError(
		check((latitude == nil) == (longitude == nil), "longitude", "latitude and longitude go together"),
		check(latitude == nil || *latitude >= -90 && *latitude <= 90, "latitude", "a latitude lies between -90 and 90"),
		check(longitude == nil || *longitude >= -180 && *longitude <= 180, "longitude", "a longitude lies between -180 and 180"),
	)
}

func ordered(field string, from, to *time.Time) error {
	return check(from == nil || to == nil || to.After(*from), field, "the last day lies after the first")
}

// minPurpose is how many letters say why. A wide character, such as one of Chinese, says as much as two.
const minPurpose = 8

// saysWhy examines a reason in words; note tells what becomes of it.
func saysWhy(field, why, note string) error {
	letters, weight := 0, 0
	for _, r := range strings.TrimSpace(why) {
		letters++
		weight++
		if width.LookupRune(r).Kind() == width.EastAsianWide {
			weight++
		}
	}
	return check(weight >= minPurpose && letters <= 500, field, "say why, in %d to 500 letters, or from %d of Chinese; %s", minPurpose, minPurpose/2, note)
}
