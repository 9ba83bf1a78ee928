package groundwork

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// Each noun: one that is right, and every single fault by itself with its field.
func TestValidate(t *testing.T) {
	t.Parallel()
	now, id, before := monday, uuid.New(), monday.AddDate(0, 0, -1)
	region := func(f func(*Region)) error {
		r := Region{Code: "430100000000", Level: Prefecture, Name: "A市", ParentID: &id}
		f(&r)
		return r.Validate()
	}
	population := func(f func(*Population)) error {
		p := Population{Year: 2020, Persons: 1, Source: "census"}
		f(&p)
		return p.Validate()
	}
	site := func(f func(*Site)) error { s := Site{Kind: School, Name: "No. 1 School"}; f(&s); return s.Validate() }
	category := func(f func(*Category)) error {
		c := Category{Code: "roads", Name: "Roads", ValidFrom: now}
		f(&c)
		return c.Validate()
	}
	unit := func(f func(*OrgUnit)) error { u := OrgUnit{Name: "Bureau", Kind: GovtUnit}; f(&u); return u.Validate() }
	rule := func(f func(*DispatchRule)) error {
		r := DispatchRule{RegionLevel: County, Basis: "list", ValidFrom: now}
		f(&r)
		return r.Validate()
	}
	post := func(f func(*PostHolding)) error {
		h := PostHolding{Rank: RankCounty, Title: "Mayor", HeldFrom: now}
		f(&h)
		return h.Validate()
	}
	visit := func(f func(*Visit)) error {
		v := Visit{ActivityKind: Research, Notice: "ANNOUNCED", State: VisitHeld, StartedAt: before, EndedAt: &now, CitizensMet: new(3)}
		f(&v)
		return v.Validate(now)
	}
	opinion := func(f func(*Opinion)) error {
		o := Opinion{Channel: ChannelVisit, Kind: Help, Text: "Help.", ReceivedAt: before}
		f(&o)
		return o.Validate(now)
	}
	registration := func(f func(*Registration)) error {
		r := Registration{Actor: actor(RoleCitizen), OpinionIDs: []uuid.UUID{id}}
		f(&r)
		return r.Validate()
	}
	for _, c := range []struct {
		field string // empty = right
		err   error
	}{
		{"", region(func(*Region) {})},
		{"code", region(func(r *Region) { r.Code = "43" })},
		{"level", region(func(r *Region) { r.Level = "GALAXY" })},
		{"name", region(func(r *Region) { r.Name = " " })},
		{"parentId", region(func(r *Region) { r.ParentID = nil })},
		{"parentId", region(func(r *Region) { r.Level = Province })},
		{"latitude", region(func(r *Region) { r.Latitude, r.Longitude = new(91.0), new(0.0) })},
		{"longitude", region(func(r *Region) { r.Latitude, r.Longitude = new(9.0), new(181.0) })},
		{"longitude", region(func(r *Region) { r.Latitude = new(9.0) })},
		{"urbanRural", region(func(r *Region) { r.UrbanRural = new("SEA") })},
		{"validTo", region(func(r *Region) { r.ValidFrom, r.ValidTo = &now, &before })},
		{"", population(func(*Population) {})},
		{"year", population(func(p *Population) { p.Year = 20 })},
		{"persons", population(func(p *Population) { p.Persons = -1 })},
		{"source", population(func(p *Population) { p.Source = "" })},
		{"", site(func(*Site) {})},
		{"kind", site(func(s *Site) { s.Kind = "MOON" })},
		{"name", site(func(s *Site) { s.Name = "" })},
		{"eligibleTo", site(func(s *Site) { s.EligibleFrom, s.EligibleTo = &now, &now })},
		{"", category(func(*Category) {})},
		{"code", category(func(c *Category) { c.Code = "" })},
		{"name", category(func(c *Category) { c.Name = "" })},
		{"validTo", category(func(c *Category) { c.ValidTo = &before })},
		{"", unit(func(*OrgUnit) {})},
		{"kind", unit(func(u *OrgUnit) { u.Kind = "CLUB" })},
		{"name", unit(func(u *OrgUnit) { u.Name = "" })},
		{"", rule(func(*DispatchRule) {})},
		{"regionLevel", rule(func(r *DispatchRule) { r.RegionLevel = "" })},
		{"basis", rule(func(r *DispatchRule) { r.Basis = "" })},
		{"validFrom", rule(func(r *DispatchRule) { r.ValidFrom = time.Time{} })},
		{"validTo", rule(func(r *DispatchRule) { r.ValidTo = &before })},
		{"", Official{Pseudonym: "o-1"}.Validate()},
		{"pseudonym", Official{}.Validate()},
		{"", post(func(*PostHolding) {})},
		{"rank", post(func(h *PostHolding) { h.Rank = "KING" })},
		{"title", post(func(h *PostHolding) { h.Title = "" })},
		{"heldFrom", post(func(h *PostHolding) { h.HeldFrom = time.Time{} })},
		{"heldTo", post(func(h *PostHolding) { h.HeldTo = &before })},
		{"", visit(func(*Visit) {})},
		{"activityKind", visit(func(v *Visit) { v.ActivityKind = "" })},
		{"notice", visit(func(v *Visit) { v.Notice = "SECRET" })},
		{"state", visit(func(v *Visit) { v.State = "" })},
		{"startedAt", visit(func(v *Visit) { v.StartedAt = time.Time{} })},
		{"startedAt", visit(func(v *Visit) { v.StartedAt = now.Add(1) })},
		{"endedAt", visit(func(v *Visit) { v.EndedAt = nil })},
		{"endedAt", visit(func(v *Visit) { v.EndedAt = new(before.Add(-1)) })},
		{"citizensMet", visit(func(v *Visit) { v.CitizensMet = new(-1) })},
		{"noteUnitId", visit(func(v *Visit) { v.NoteText = new("Met the teachers.") })},
		{"noteText", visit(func(v *Visit) { v.State = VisitRecorded })},
		{"", opinion(func(*Opinion) {})},
		{"channel", opinion(func(o *Opinion) { o.Channel = "DREAM" })},
		{"kind", opinion(func(o *Opinion) { o.Kind = "" })},
		{"text", opinion(func(o *Opinion) { o.Text = " " })},
		{"receivedAt", opinion(func(o *Opinion) { o.ReceivedAt = now.Add(1) })},
		{"occurredAt", opinion(func(o *Opinion) { o.OccurredAt = new(now.Add(1)) })},
		{"", opinion(func(o *Opinion) { o.VisitID, o.Channel = &id, ChannelReception })},
		{"channel", opinion(func(o *Opinion) { o.VisitID, o.Channel = &id, ChannelHotline })},
		{"precisionM", opinion(func(o *Opinion) { o.PrecisionM = new(-1) })},
		{"confidentiality", opinion(func(o *Opinion) { o.Confidentiality = "TOP" })},
		{"latitude", opinion(func(o *Opinion) { o.Latitude, o.Longitude = new(-91.0), new(0.0) })},
		{"", registration(func(*Registration) {})},
		{"opinionIds", registration(func(r *Registration) { r.OpinionIDs = nil })},
		{"severity", registration(func(r *Registration) { r.Severity = "MILD" })},
		{"difficulty", registration(func(r *Registration) { r.Difficulty = "HARD" })},
	} {
		if c.field == "" {
			require.NoError(t, c.err)
			continue
		}
		require.Equal(t, CodeInvalid, CodeOf(c.err), "%s: %v", c.field, c.err)
		require.Equal(t, c.field, fieldOf(c.err), "%v", c.err)
	}
	require.Equal(t, CodeForbidden, CodeOf(registration(func(r *Registration) { r.Actor.Role = RoleAnalyst })))
}

func TestRegionLiesOneRungBelowItsParent(t *testing.T) {
	t.Parallel()
	id := uuid.New()
	county := Region{Code: "430102000000", Level: County, ParentID: &id}
	require.NoError(t, county.ValidateParent(&Region{Level: Prefecture}))
	require.ErrorContains(t, county.ValidateParent(&Region{Code: "430000000000", Level: Province}), "a COUNTY lies directly below a PREFECTURE")
	require.ErrorContains(t, county.ValidateParent(nil), "create the parent first")
}

func TestRegistrationOfOpinionsThatDoNotExist(t *testing.T) {
	t.Parallel()
	r := Registration{Actor: actor(RoleIntake), OpinionIDs: []uuid.UUID{uuid.New(), uuid.New()}}
	_, _, err := PlanRegistration(r, uuid.New(), Opening{Opinions: []Opinion{{ID: r.OpinionIDs[0]}}, At: monday, Now: monday})
	require.ErrorContains(t, err, "1 of the 2 opinions do not exist")
}
