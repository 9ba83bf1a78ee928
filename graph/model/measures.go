package model

import (
	"slices"

	"groundwork/warehouse"
)

// MeasuresAnswer is several measures' tables, joined by the values of their dimensions: row i of all belongs together.
type MeasuresAnswer struct {
	Tables   []*warehouse.Table // one a measure, all of the same rows
	Previous []*warehouse.Table // the same of another range, or nil
	Cut      bool
}

// Dimensions are the columns of the split.
func (a *MeasuresAnswer) Dimensions() []DimensionColumn {
	return (&MeasureTable{Table: a.Tables[0]}).Dimensions()
}

// RowCount is the number of rows.
func (a *MeasuresAnswer) RowCount() int { return len(a.Tables[0].N) }

// Truncated reports whether rows were left out.
func (a *MeasuresAnswer) Truncated() bool { return a.Cut }

// About says what the numbers are, one a measure.
func (a *MeasuresAnswer) About() []*MeasureInfo {
	infos := make([]*MeasureInfo, len(a.Tables))
	for i, t := range a.Tables {
		infos[i] = &MeasureInfo{Table: t}
	}
	return infos
}

// Numbers are the columns of all measures, or those of the names.
func (a *MeasuresAnswer) Numbers(names []string) []*MeasureColumn {
	all := []*MeasureColumn{}
	for i, t := range a.Tables {
		measure, _ := warehouse.MeasureByCode(t.Measure)
		for n := range t.Nums {
			if len(names) > 0 && !slices.Contains(names, t.Nums[n].Name) {
				continue
			}
			column := &MeasureColumn{table: t, num: &t.Nums[n], definition: columnOf(measure, t.Nums[n].Name)}
			if a.Previous != nil {
				column.Previous = a.Previous[i].Nums[n].Value
			}
			all = append(all, column)
		}
	}
	return all
}

// Curves are the curves of all measures.
func (a *MeasuresAnswer) Curves() []*MeasureCurve {
	all := []*MeasureCurve{}
	for _, t := range a.Tables {
		measure, _ := warehouse.MeasureByCode(t.Measure)
		for _, curve := range t.Curves {
			all = append(all, &MeasureCurve{measure: measure, curve: curve})
		}
	}
	return all
}

// MeasureCurve is one curve of a measure.
type MeasureCurve struct {
	measure warehouse.Measure
	curve   warehouse.Curve
}

// Measure is its code.
func (c *MeasureCurve) Measure() MeasureCode { return MeasureCode(c.measure.Code) }

// Name is that of the curve.
func (c *MeasureCurve) Name() string { return c.curve.Name }

// Label is what to call it.
func (c *MeasureCurve) Label(lang Lang) string {
	for _, column := range c.measure.Curves {
		if column.Name == c.curve.Name {
			return in(lang, column.English, column.Chinese)
		}
	}
	return c.curve.Name
}

// Days are those of the values, as far as any row has some.
func (c *MeasureCurve) Days() []int64 {
	longest := 0
	for _, steps := range c.curve.Rows {
		if steps != nil {
			longest = max(longest, len(steps.Value))
		}
	}
	return warehouse.CurveDays[:longest]
}

// Rows are the curves.
func (c *MeasureCurve) Rows() []*CurveSteps {
	rows := make([]*CurveSteps, len(c.curve.Rows))
	for i, steps := range c.curve.Rows {
		if steps != nil {
			rows[i] = &CurveSteps{steps}
		}
	}
	return rows
}

// CurveSteps is the curve of a row.
type CurveSteps struct{ steps *warehouse.Steps }

// The columns of a curve.
func (s *CurveSteps) Values() []float64  { return s.steps.Value }
func (s *CurveSteps) CiLow() []*float64  { return s.steps.Lo }
func (s *CurveSteps) CiHigh() []*float64 { return s.steps.Hi }
func (s *CurveSteps) AtRisk() []int64    { return s.steps.AtRisk }

func columnOf(m warehouse.Measure, name string) MeasureColumnDefinition {
	for _, c := range m.Columns {
		if c.Name == name {
			return MeasureColumnDefinition{Column: c, IsHeadline: c.Name == m.Headline}
		}
	}
	return MeasureColumnDefinition{Column: warehouse.Column{Name: name, English: name, Chinese: name}}
}

// MeasureColumn is one number of a measure.
type MeasureColumn struct {
	table      *warehouse.Table
	num        *warehouse.Num
	definition MeasureColumnDefinition
	Previous   []*float64
}

// Measure is its code.
func (c *MeasureColumn) Measure() MeasureCode { return MeasureCode(c.table.Measure) }

// Name is that of the number.
func (c *MeasureColumn) Name() string { return c.num.Name }

// Label is what to call it.
func (c *MeasureColumn) Label(lang Lang) string { return c.definition.Label(lang) }

// Headline reports whether it stands for the measure.
func (c *MeasureColumn) Headline() bool { return c.definition.IsHeadline }

// Unit of the number.
func (c *MeasureColumn) Unit() string { return c.num.Unit }

// N is what each value rests on: the denominator of a share, or the units of the row.
func (c *MeasureColumn) N() []*int64 {
	shown := shownCounts(c.table)
	if c.num.Of == nil {
		return shown
	}
	for i := range shown {
		if shown[i] != nil {
			shown[i] = &c.num.Of[i]
		}
		if c.num.Value[i] == nil && raised(c.table, "partsSuppressed", i) {
			shown[i] = nil
		}
	}
	return shown
}

// The columns of numbers.
func (c *MeasureColumn) Values() []*float64 { return c.num.Value }
func (c *MeasureColumn) CiLow() []*float64  { return c.num.Lo }
func (c *MeasureColumn) CiHigh() []*float64 { return c.num.Hi }

// Suppressed reports which values are hidden.
func (c *MeasureColumn) Suppressed() []bool { return hiddenValues(c.table, *c.num) }

// The flags.
func (c *MeasureColumn) Unstable() []bool    { return (&MeasureTable{Table: c.table}).Unstable() }
func (c *MeasureColumn) Provisional() []bool { return (&MeasureTable{Table: c.table}).Provisional() }

// MeasureDefinition is a measure of the catalogue.
type MeasureDefinition struct{ warehouse.Measure }

// Code of the measure.
func (d MeasureDefinition) Code() MeasureCode { return MeasureCode(d.Definition.Code) }

// Name is what it is called.
func (d MeasureDefinition) Name(lang Lang) string {
	return in(lang, d.Definition.Name, d.ChineseName)
}

// Columns are its numbers.
func (d MeasureDefinition) Columns() []MeasureColumnDefinition {
	columns := make([]MeasureColumnDefinition, len(d.Measure.Columns))
	for i, c := range d.Measure.Columns {
		columns[i] = columnOf(d.Measure, c.Name)
	}
	return columns
}

// Curves are its curves.
func (d MeasureDefinition) Curves() []MeasureColumnDefinition {
	curves := make([]MeasureColumnDefinition, len(d.Measure.Curves))
	for i, c := range d.Measure.Curves {
		curves[i] = MeasureColumnDefinition{Column: c}
	}
	return curves
}

// MeasureColumnDefinition is a number of a measure of the catalogue.
type MeasureColumnDefinition struct {
	warehouse.Column
	IsHeadline bool
}

// Headline reports whether it stands for the measure.
func (c MeasureColumnDefinition) Headline() bool { return c.IsHeadline }

// Label is what to call it.
func (c MeasureColumnDefinition) Label(lang Lang) string { return in(lang, c.English, c.Chinese) }

func in(lang Lang, english, chinese string) string {
	if lang == LangZh {
		return chinese
	}
	return english
}
