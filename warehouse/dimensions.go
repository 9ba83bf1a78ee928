package warehouse

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
)

// dimensionKey is how cells are split: rows are grouped by a value that is quickly made of a spell, and a group is then named by a text
// made of the value g. NULL is "unknown".
type dimensionKey struct{ group, name string }

var dimensionKeys = map[Dimension]dimensionKey{
	ByRegion:   {"region_place", "nullIf(arrayElement(%s, g), '')"},
	ByCategory: {"ifNull(toString(category_id), '')", "nullIf(toString(g), '')"},
	ByDay:      {"toYYYYMMDD(anchor_at, {timezone:String})", "concat(substring(toString(g), 1, 4), '-', substring(toString(g), 5, 2), '-', substring(toString(g), 7, 2))"},
	ByWeek:     {"toMonday(anchor_at, {timezone:String})", "toString(g)"},
	ByMonth:    {"toYYYYMM(anchor_at, {timezone:String})", "concat(substring(toString(g), 1, 4), '-', substring(toString(g), 5, 2))"},
	ByQuarter:  {"toYear(anchor_at, {timezone:String}) * 10 + toQuarter(anchor_at, {timezone:String})", "concat(substring(toString(g), 1, 4), '-Q', substring(toString(g), 5, 1))"},
	ByYear:     {"toYear(anchor_at, {timezone:String})", "toString(g)"},
	ByChannel:  {"channel", "toString(g)"},
	ByKind:     {"kind", "toString(g)"},
	BySeverity: {"severity", "toString(g)"},
	ByUnit:     {"ifNull(toString(lead_unit_id), '')", "nullIf(toString(g), '')"},
	ByPost:     {"toString(lead_id)", "toString(g)"},

	ByUrbanRural: {"urban_rural", "nullIf(toString(g), '')"},
	BySiteKind:   {"site_kind", "nullIf(toString(g), '')"},
	ByAbility:    {"ability", "toString(g)"},
	ByCampaign:   {"campaign_id", "toString(g)"},
}

// grains are the dimensions of time: of them a question takes one.
var grains = []Dimension{ByDay, ByWeek, ByMonth, ByQuarter, ByYear}

// byCell makes the statement that aggregates rows by cell: the texts of the cell, then the aggregates. condition narrows the rows; further
// are names among the aggregates that cells are split by too.
func (s *scope) byCell(b *builder, rows statement, condition func(*builder), aggregates string, further ...string) statement {
	return s.gathered(b, rows, condition, "", aggregates, nil, further...)
}

// gathered is byCell with the parts of each cell aggregated once more, by gather, so that a cell with each of what is kept is one row of the answer; "" = it
// is not done.
func (s *scope) gathered(b *builder, rows statement, condition func(*builder), gather, aggregates string, kept []string, further ...string) statement {
	for name, value := range rows.values {
		b.value(name, value)
	}
	var groups, names, columns []string
	for i, d := range s.By {
		column, key := fmt.Sprintf("g%d", i), dimensionKeys[d]
		groups = append(groups, column)
		columns = append(columns, key.group+" AS "+column+", ")
		name := strings.ReplaceAll(key.name, "g)", column+")")
		name = strings.ReplaceAll(name, "g,", column+",")
		if d == ByRegion {
			name = fmt.Sprintf(name, s.regionCodes(b))
		}
		names = append(names, "toNullable("+name+")")
	}
	if slices.ContainsFunc(grains, s.split) {
		b.value("timezone", s.Timezone)
	}
	b.write("SELECT ")
	for _, name := range names {
		b.write(name, ", ")
	}
	b.write("*")
	if len(groups) > 0 {
		b.write(" EXCEPT (", strings.Join(groups, ", "), ")")
	}
	b.write(" FROM (")
	if gather != "" {
		b.write("SELECT ", strings.Join(slices.Concat(groups, kept, []string{gather}), ", "), " FROM (")
	}
	b.write("SELECT ", strings.Join(columns, ""), aggregates, " FROM (", rows.text, ")")
	if condition != nil {
		condition(b)
	}
	if by := slices.Concat(groups, kept, further); len(by) > 0 {
		b.write(" GROUP BY ", strings.Join(by, ", "))
	} else {
		b.write(nothing)
	}
	switch {
	case gather == "":
	case len(groups)+len(kept) > 0:
		b.write(") GROUP BY ", strings.Join(slices.Concat(groups, kept), ", "))
	default:
		b.write(")", nothing)
	}
	b.write(")")
	made := b.statement()
	made.long = rows.long
	return made
}

// nothing leaves out the row that an aggregate without groups makes of nothing.
const nothing = " HAVING count() > 0"

// cellKey identifies a cell; unknown keys are empty.
type cellKey [6]string

// scanKeys returns targets for the key columns, and what makes a cellKey of them.
func (s *scope) scanKeys() (targets []any, key func() cellKey) {
	values := make([]*string, len(s.By))
	for i := range values {
		targets = append(targets, &values[i])
	}
	return targets, func() (k cellKey) {
		for i, v := range values {
			if v != nil {
				k[i] = *v
			}
		}
		return k
	}
}

// inOrder gives the cells by their keys: a map's own order changes from run to run, and with it the last bit of a sum.
func inOrder[C any](cells map[cellKey]C) iter.Seq2[cellKey, C] {
	return func(yield func(cellKey, C) bool) {
		for _, key := range slices.SortedFunc(maps.Keys(cells), func(a, b cellKey) int { return slices.Compare(a[:], b[:]) }) {
			if !yield(key, cells[key]) {
				return
			}
		}
	}
}

// arrange orders cells by the codes of their dimensions, the unknown first, cuts the list at the limit and fills the table's
// dimensions with what the keys are called.
func arrange[C any](ctx context.Context, m *Measures, s *scope, cells map[cellKey]C, t *Table) ([]C, error) {
	labels := make([]map[string]Key, len(s.By))
	for i, d := range s.By {
		if d == ByCategory {
			var err error
			if labels[i], err = m.categoryLabels(ctx); err != nil {
				return nil, err
			}
		}
	}
	keys := make([]cellKey, 0, len(cells))
	for k := range cells {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b cellKey) int {
		for i := range s.By {
			if order := cmp.Or(cmp.Compare(labels[i][a[i]].Code, labels[i][b[i]].Code), cmp.Compare(a[i], b[i])); order != 0 {
				return order
			}
		}
		return 0
	})
	if len(keys) > s.Limit {
		keys, t.Truncated = keys[:s.Limit], true
	}
	kept := make([]C, len(keys))
	for i, k := range keys {
		kept[i] = cells[k]
	}
	return kept, m.nameDimensions(ctx, s, keys, labels, t)
}

func (m *Measures) nameDimensions(ctx context.Context, s *scope, keys []cellKey, labels []map[string]Key, t *Table) error {
	for i, d := range s.By {
		if d == ByRegion {
			var err error
			if labels[i], err = m.regionLabels(ctx, i, keys); err != nil {
				return err
			}
		}
		dim := Dim{Dimension: d, Keys: make([]Key, len(keys))}
		for row, k := range keys {
			switch {
			case k[i] == "": // unknown
			case labels[i] == nil:
				dim.Keys[row] = Key{ID: k[i], Code: k[i], Label: k[i]}
			default:
				dim.Keys[row] = labels[i][k[i]]
			}
		}
		t.Dims = append(t.Dims, dim)
	}
	return nil
}

// categoryLabels names all categories by id; they are few.
func (m *Measures) categoryLabels(ctx context.Context) (map[string]Key, error) {
	return recall(ctx, m, "names of categories", []string{"d_category"}, func() (map[string]Key, error) { return m.readCategories(ctx) })
}

func (m *Measures) readCategories(ctx context.Context) (map[string]Key, error) {
	labels := map[string]Key{}
	s := statement{text: "SELECT toString(id), code, path, name FROM d_category FINAL WHERE _deleted = 0"}
	err := m.each(ctx, "name categories", s, func(scan func(...any) error) error {
		var k Key
		var path []string
		var name string
		err := scan(&k.ID, &k.Code, &path, &name)
		k.Label = name
		if len(path) > 0 {
			k.Label = strings.Join(path, " / ")
		}
		labels[k.ID] = k
		return err
	})
	return labels, err
}

// labelsAtOnce keeps the address of a request, which carries the values, short.
const labelsAtOnce = 500

// regionLabels names the regions that stand in dimension i of the keys, by code.
func (m *Measures) regionLabels(ctx context.Context, i int, keys []cellKey) (map[string]Key, error) {
	var codes []string
	for _, k := range keys {
		codes = append(codes, k[i])
	}
	slices.Sort(codes)
	codes = slices.Compact(codes)
	if len(codes) > keptNames {
		return m.readRegionLabels(ctx, codes)
	}
	return recall(ctx, m, "names of regions "+digest(codes), []string{"d_region"}, func() (map[string]Key, error) { return m.readRegionLabels(ctx, codes) })
}

func (m *Measures) readRegionLabels(ctx context.Context, codes []string) (map[string]Key, error) {
	labels := map[string]Key{}
	for chunk := range slices.Chunk(codes, labelsAtOnce) {
		s := statement{text: "SELECT toString(id), code, name FROM d_region FINAL WHERE _deleted = 0 AND code IN {codes:Array(String)}"}.with("codes", chunk)
		err := m.each(ctx, "name regions", s, func(scan func(...any) error) error {
			var k Key
			err := scan(&k.ID, &k.Code, &k.Label)
			labels[k.Code] = k
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return labels, nil
}
