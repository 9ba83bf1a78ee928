package importer

import (
	"regexp"
	"strconv"
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

var populationColumns = []column{
	{name: "code", chinese: "区划代码", required: true}, {name: "name", chinese: "名称", required: true}, {name: "year", chinese: "年份", required: true}, {name: "persons", chinese: "人口", required: true}, {name: "source", chinese: "来源", required: true},
}

var regionCode = regexp.MustCompile(`^[0-9]{12}$`)

// ReadPopulation reads how many people live where: one figure a region and year.
func ReadPopulation(data []byte, name string) (*Table[Persons], error) {
	return tableOf(data, name, populationColumns, persons, func(p Persons) string { return p.Code + " " + strconv.Itoa(p.Year) })
}

func persons(c cells) Persons {
	return Persons{
		Line: c.line, Code: c.code("code"), Name: c.text("name"), Source: c.text("source"),
		Year: c.whole("year", 1900, 2200, "expected a year such as 2025"), Persons: c.whole("persons", 1, 1<<40, "expected a whole number of persons, above 0"),
	}
}
