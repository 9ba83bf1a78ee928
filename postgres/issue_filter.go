package postgres

import (
	"strings"

	"groundwork"
)

// Limits of a filter: a deeper or larger one costs more than it finds.
const (
	maxFilterDepth = 3
	maxFilterParts = 100
)

// issueConditions turns a filter into conditions.
func issueConditions(f groundwork.IssueFilter) (*conditions, error) {
	c := where()
	parts := 0
	if err := c.issue(f, 0, &parts); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *conditions) issue(f groundwork.IssueFilter, depth int, parts *int) error {
	*parts++
	if depth > maxFilterDepth {
		return groundwork.Invalid("filter", "and, or and not are nested deeper than %d; simplify the filter", maxFilterDepth)
	}
	if *parts > maxFilterParts {
		return groundwork.Invalid("filter", "the filter has more than %d parts; simplify it", maxFilterParts)
	}
	c.issueFields(f)
	if err := c.combined(f.And, " AND ", depth, parts); err != nil {
		return err
	}
	if err := c.combined(f.Or, " OR ", depth, parts); err != nil {
		return err
	}
	if f.Not == nil {
		return nil
	}
	inner, err := c.nested(*f.Not, depth, parts)
	c.terms = append(c.terms, "("+inner+") IS NOT TRUE") // a row about which nothing is known is not what was excluded
	return err
}

func (c *conditions) combined(filters []groundwork.IssueFilter, operator string, depth int, parts *int) error {
	if len(filters) == 0 {
		return nil
	}
	terms := make([]string, len(filters))
	for i, f := range filters {
		inner, err := c.nested(f, depth, parts)
		if err != nil {
			return err
		}
		terms[i] = "(" + inner + ")"
	}
	c.terms = append(c.terms, "("+strings.Join(terms, operator)+")")
	return nil
}

// nested builds the conditions of a filter inside another one; they share the arguments.
func (c *conditions) nested(f groundwork.IssueFilter, depth int, parts *int) (string, error) {
	inner := &conditions{args: c.args}
	err := inner.issue(f, depth+1, parts)
	return inner.sql(), err
}

func (c *conditions) issueFields(f groundwork.IssueFilter) {
	among(c, "id", f.IDs)
	among(c, "state", f.States)
	c.is("state NOT IN ('CLOSED', 'MERGED')", f.Open)
	among(c, "closure_type", f.ClosureTypes)
	among(c, "severity", f.Severities)
	among(c, "difficulty", f.Difficulties)
	among(c, "kind", f.Kinds)
	among(c, "channel", f.Channels)
	if len(f.CategoryIDs) > 0 {
		c.add(`category_id IN (
			WITH RECURSIVE below AS (
				SELECT id FROM category WHERE id = ANY(%s)
				UNION SELECT child.id FROM category child JOIN below ON child.parent_id = below.id
			) SELECT id FROM below)`, f.CategoryIDs)
	}
	c.is("category_id IS NULL", f.CategoryUnknown)
	c.under("region_id", f.Under)
	c.is("region_id IS NULL", f.RegionUnknown)
	among(c, "lead_unit_id", f.LeadUnitIDs)
	c.within("origin_at", f.Origin)
	c.within("claimed_at", f.Claimed)
	c.within("closed_at", f.Closed)
	c.within("due_at", f.Due)
	c.is("coalesce(due_at < now(), FALSE) AND state NOT IN ('CLAIMED', 'CLOSED', 'MERGED')", f.Overdue)
	if f.Text != "" {
		c.add(`(title ILIKE %s OR id IN (
			SELECT link.issue_id FROM opinion said JOIN issue_opinion link ON link.opinion_id = said.id
			WHERE (said.subject || ' ' || said.text) ILIKE %s))`, pattern(f.Text), pattern(f.Text))
	}
}
