package warehouse

import (
	"context"
	"time"

	"github.com/google/uuid"
)

// What a group of an extract must have: rows that agree in region, month, category and channel.
const (
	ExtractPersons = 5 // different reporters at least; all who are unknown may be one
	ExtractKinds   = 2 // different kinds of opinion at least, else the group tells what its members wanted
)

// ExtractQuery asks for an extract.
type ExtractQuery struct {
	RegionLevel       string     // level that regions are rolled up to; opinions of coarser or unknown regions are left out
	Regions           []string   // only these, with everything below; empty = all
	WithoutCategories []string   // ids of sensitive categories, each with everything below
	From, To          *time.Time // received in [From, To)
}

// ExtractRow is one opinion.
type ExtractRow struct {
	Reporter                                       *uuid.UUID // pseudonym of the system of record, to be replaced by that of a project; nil = unknown
	RegionCode, Month, CategoryCode, Channel, Kind string
}

// Extract is what a project may get of single opinions, and what was left out of it.
type Extract struct {
	Rows      []ExtractRow // ordered by all their columns, so that their order tells nothing
	LeftOut   map[string]int64
	Watermark Watermark
}

// Why rows are left out of an extract.
const (
	LeftSensitive = "REPORT, confidential, or of a category named sensitive"
	LeftPlaceless = "of no region, or of one coarser than the level"
	LeftFew       = "in groups of fewer than 5 reporters"
	LeftAlike     = "in groups that all want the same"
)

// Extract reads single opinions, coarse enough that nobody stands out (k-anonymity by region, month, category and channel, Sweeney 2002, with
// ℓ-diversity of kinds, Machanavajjhala 2007).
func (m *Measures) Extract(ctx context.Context, q ExtractQuery) (*Extract, error) {
	s, err := m.scope(ctx, Query{By: []Dimension{ByRegion, ByMonth}, RegionLevel: q.RegionLevel, Where: Filter{Regions: q.Regions, Categories: q.WithoutCategories}})
	if err != nil {
		return nil, err
	}
	x := &Extract{LeftOut: map[string]int64{}, Watermark: s.watermark}
	b := &builder{}
	s.extractRows(b, q)
	b.value("persons", ExtractPersons)
	b.value("kinds", ExtractKinds)
	all := "SELECT *, multiIf(sensitive, '" + LeftSensitive + "', region_code IS NULL, '" + LeftPlaceless + "', persons < {persons:UInt64}, '" + LeftFew +
		"', kinds < {kinds:UInt64}, '" + LeftAlike + "', '') AS left_out FROM (" + b.text.String() + ")"
	counted := statement{text: "SELECT left_out, toInt64(count()) FROM (" + all + ") WHERE left_out != '' GROUP BY left_out", values: b.values}
	if err := m.each(ctx, "count what an extract leaves out", counted, func(scan func(...any) error) error {
		var why string
		var n int64
		err := scan(&why, &n)
		x.LeftOut[why] = n
		return err
	}); err != nil {
		return nil, err
	}
	kept := statement{text: "SELECT reporter_pid, assumeNotNull(region_code), month, category_code, toString(channel), toString(kind) FROM (" + all +
		") WHERE left_out = '' ORDER BY region_code, month, category_code, channel, kind, reporter_pid", values: b.values}
	err = m.each(ctx, "read an extract", kept, func(scan func(...any) error) error {
		var r ExtractRow
		err := scan(&r.Reporter, &r.RegionCode, &r.Month, &r.CategoryCode, &r.Channel, &r.Kind)
		x.Rows = append(x.Rows, r)
		return err
	})
	return x, err
}

// CategoriesByCode finds the ids of all versions of the categories with these codes.
func (m *Measures) CategoriesByCode(ctx context.Context, codes []string) (ids []string, err error) {
	known := map[string]bool{}
	s := statement{text: "SELECT toString(id), code FROM d_category FINAL WHERE _deleted = 0 AND code IN {codes:Array(String)} ORDER BY code, version"}.with("codes", append([]string{}, codes...))
	if err := m.each(ctx, "look up categories", s, func(scan func(...any) error) error {
		var id, code string
		err := scan(&id, &code)
		ids, known[code] = append(ids, id), true
		return err
	}); err != nil {
		return nil, err
	}
	for _, code := range codes {
		if !known[code] {
			return nil, invalid("WithoutCategories", "there is no category with code %.40q; `SELECT code, name FROM pub_category` lists them", code)
		}
	}
	return ids, nil
}

// extractRows writes all opinions in question, with how many reporters and kinds their groups have.
func (s *scope) extractRows(b *builder, q ExtractQuery) {
	b.value("timezone", s.Timezone)
	b.value("sensitive", append([]string{}, s.categories...))
	b.write(`SELECT *,
		uniqExactIf(reporter_pid, NOT sensitive) OVER same + (countIf(reporter_pid IS NULL AND NOT sensitive) OVER same > 0) AS persons,
		uniqExactIf(kind, NOT sensitive) OVER same AS kinds
	FROM (
		SELECT o.reporter_pid AS reporter_pid, nullIf(arrayElement(`, s.regionCodes(b), `, `, s.regionPlace(b, "o"), `), '') AS region_code, formatDateTime(o.received_at, '%Y-%m', {timezone:String}) AS month,
			ifNull(c.code, '') AS category_code, o.channel AS channel, o.kind AS kind,
			o.kind = 'REPORT' OR o.confidentiality = 'CONFIDENTIAL' OR has({sensitive:Array(String)}, ifNull(toString(i.category_id), '')) AS sensitive
		FROM (SELECT * FROM f_opinion FINAL WHERE _deleted = 0) AS o
		LEFT ANY JOIN (SELECT opinion_id, issue_id FROM f_issue_opinion FINAL WHERE _deleted = 0) AS link ON o.id = link.opinion_id
		LEFT ANY JOIN (SELECT id, category_id FROM f_issue FINAL WHERE _deleted = 0) AS i ON link.issue_id = i.id
		LEFT ANY JOIN (SELECT toNullable(id) AS id, toNullable(code) AS code FROM d_category FINAL WHERE _deleted = 0) AS c ON i.category_id = c.id
		WHERE 1`)
	if len(q.Regions) > 0 {
		b.value("regions", q.Regions)
		b.write(" AND o.region_id IN (SELECT toNullable(id) FROM d_region FINAL WHERE _deleted = 0 AND hasAny(splitByChar('.', path), {regions:Array(String)}))")
	}
	if q.From != nil {
		b.value("from", ceilMicro(*q.From))
		b.write(" AND o.received_at >= fromUnixTimestamp64Micro({from:Int64}, 'UTC')")
	}
	if q.To != nil {
		b.value("to", ceilMicro(*q.To))
		b.write(" AND o.received_at < fromUnixTimestamp64Micro({to:Int64}, 'UTC')")
	}
	b.write(`
	) WINDOW same AS (PARTITION BY region_code, month, category_code, channel)`)
}
