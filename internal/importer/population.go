package importer

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Persons is the population of a region in a year.
type Persons struct {
	Line    int
	Code    string // 12 digits
	Name    string
	Year    int
	Persons int
	Source  string // who counted
}

// Population is a file of populations, read.
type Population struct {
	Persons []Persons
	Rejects []Reject
}

var populationColumns = []string{"code", "name", "year", "persons", "source"}

var regionCode = regexp.MustCompile(`^[0-9]{12}$`)

// ReadPopulation reads CSV with the columns code, name, year, persons and source, in any order. It fails only when the
// file as a whole cannot be understood; a bad row becomes a Reject.
func ReadPopulation(data []byte, name string) (*Population, error) {
	text, _, err := decode(data)
	if err != nil {
		return nil, fmt.Errorf("read population %s: %w", name, err)
	}
	rows := newRowReader(text)
	columns, err := populationHeader(rows)
	if err != nil {
		return nil, fmt.Errorf("read population %s: %w", name, err)
	}
	out, known := &Population{}, map[string]bool{}
	for {
		row, ok := rows.read()
		if !ok {
			return out, nil
		}
		p, bad := Persons{}, row.fault
		if bad == nil {
			p, bad = persons(row, columns)
		}
		key := p.Code + " " + strconv.Itoa(p.Year)
		if known[key] && bad == nil {
			bad = &fault{"code", p.Code, "this region and year stand earlier in the file; keep one figure"}
		}
		if bad != nil {
			out.Rejects = append(out.Rejects, Reject{name, row.line, bad.field, bad.value, bad.reason, row.fields})
			continue
		}
		known[key] = true
		out.Persons = append(out.Persons, p)
	}
}

func populationHeader(rows *rowReader) (map[string]int, error) {
	want := "expected columns " + strings.Join(populationColumns, ", ")
	head, ok := rows.read()
	if !ok {
		return nil, errors.New("the file is empty; " + want)
	}
	columns := map[string]int{}
	for i, cell := range head.fields {
		columns[strings.ToLower(strings.TrimSpace(cell))] = i
	}
	for _, c := range populationColumns {
		if _, ok := columns[c]; !ok {
			return nil, fmt.Errorf("missing column %s; found %s; %s", c, strings.Join(head.fields, ", "), want)
		}
	}
	rows.width = len(head.fields)
	return columns, nil
}

func persons(row row, columns map[string]int) (Persons, *fault) {
	cell := func(name string) string { return strings.TrimSpace(row.fields[columns[name]]) }
	for _, c := range populationColumns {
		if bad := checkText(c, cell(c)); bad != nil {
			return Persons{}, bad
		}
	}
	p := Persons{Line: row.line, Code: cell("code"), Name: cell("name"), Source: cell("source")}
	if !regionCode.MatchString(p.Code) {
		return p, &fault{"code", p.Code, "expected the 12 digits of a region's code"}
	}
	var err error
	if p.Year, err = strconv.Atoi(cell("year")); err != nil || p.Year < 1900 || p.Year > 2200 {
		return p, &fault{"year", cell("year"), "expected a year such as 2025"}
	}
	if p.Persons, err = strconv.Atoi(cell("persons")); err != nil || p.Persons <= 0 {
		return p, &fault{"persons", cell("persons"), "expected a whole number of persons, above 0"}
	}
	if p.Source == "" {
		return p, &fault{"source", "", "is empty; say who counted"}
	}
	return p, nil
}
