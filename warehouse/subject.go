package warehouse

import (
	"context"
	"slices"

	"github.com/google/uuid"
)

// What is asked about units and posts by those who assess them. The published answers are never split by these: ByUnit and ByPost are
// given only to a question that says Reviewer.
const (
	ByUnit Dimension = "UNIT" // the unit that leads an issue, or of the leading official of a visit; as known at as-of
	ByPost Dimension = "POST" // the post whose holder led a visit, or whose turn a slot was
)

// subjectDimensions says which measures can be asked for units and for posts. Those that compare places with each other cannot.
var subjectDimensions = map[string][]Dimension{
	"T1": {ByUnit}, "T2": {ByUnit}, "T3": {ByUnit}, "T4": {ByUnit}, "T5": {ByUnit},
	"Q1": {ByUnit}, "Q2": {ByUnit}, "Q3": {ByUnit},
	"F1": {ByUnit, ByPost}, "F2": {ByUnit}, "F3": {ByUnit, ByPost}, "F4": {ByUnit, ByPost}, "F5": {ByUnit}, "F6": {ByUnit, ByPost}, "F7": {ByUnit, ByPost},
	"I1": {ByUnit, ByPost},
}

// Subjects lists whether the measure can be asked for units (ByUnit) and for posts (ByPost).
func (m Measure) Subjects() []Dimension { return slices.Clone(subjectDimensions[m.Code]) }

// checkSubject refuses what a measure cannot say of units or posts, and whoever may not ask.
func (m Measure) checkSubject(q Question) error {
	for d, ids := range map[Dimension][]string{ByUnit: q.Where.Units, ByPost: q.Where.Posts} {
		if len(ids) == 0 && !slices.Contains(q.By, d) {
			continue
		}
		if !q.Reviewer || !slices.Contains(subjectDimensions[m.Code], d) {
			return invalid("Where", "%s cannot be asked for a %s; it can for %v", m.Code, d, subjectDimensions[m.Code])
		}
		for _, id := range ids {
			if _, err := uuid.Parse(id); err != nil {
				return invalid("Where", "%.40q is no id of a %s", id, d)
			}
		}
	}
	return nil
}

// splits reports whether the question may be split by d.
func (m Measure) splits(q Question, d Dimension) bool {
	return slices.Contains(m.Dimensions, d) || q.Reviewer && slices.Contains(subjectDimensions[m.Code], d)
}

// ofUnits reports whether rows need to say which unit they belong to.
func (s *scope) ofUnits() bool { return s.split(ByUnit) || len(s.units) > 0 }

// unitsBelow returns the units and all below them.
func (m *Measures) unitsBelow(ctx context.Context, ids []string) ([]string, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	children := map[string][]string{}
	s := statement{text: "SELECT toString(id), ifNull(toString(parent_id), '') FROM d_org_unit FINAL WHERE _deleted = 0"}
	err := m.each(ctx, "look up units", s, func(scan func(...any) error) error {
		var id, parent string
		err := scan(&id, &parent)
		children[parent] = append(children[parent], id)
		return err
	})
	return below(children, ids), err
}

// postUnit adds to rows of visits or turns, whose post is in a column, the unit of that post.
func (s *scope) postUnit(b *builder, column string) {
	if s.ofUnits() {
		b.write(" LEFT ANY JOIN (SELECT id AS held, toNullable(org_unit_id) AS lead_unit_id FROM d_post_holding FINAL WHERE _deleted = 0) AS h ON ", column, " = h.held")
	}
}

// subjectFilter writes the conditions on the post in a column and on its unit; and is what stands before the first of them.
func (s *scope) subjectFilter(b *builder, and, post string) {
	if len(s.units) > 0 {
		b.write(and, "h.lead_unit_id IN {units:Array(UUID)}")
		b.value("units", s.units)
		and = " AND "
	}
	if len(s.Where.Posts) > 0 {
		b.write(and, post, " IN {posts:Array(UUID)}")
		b.value("posts", s.Where.Posts)
	}
}
