package warehouse

//go:generate go test -run TestMeasuresAreDocumented -update

// Definition says what a measure means. A figure without its definition and version cannot be computed again.
type Definition struct {
	Code, Version     string
	Name, ChineseName string
	Meaning           string
	Numerator         string
	Denominator       string
	Anchor            string // the event by whose time issues belong to a period
	Censoring         string
	Interval          string
	Method            string // in one line, as answers carry it
	Caveats           []string
	Weights           map[string]float64 // of the measures that a composite is made of
}

// Definitions lists the measures in the order of the registry.
func Definitions() []Definition {
	all := make([]Definition, len(registry))
	for i, m := range registry {
		all[i] = m.Definition
	}
	return all
}

// definitions has those of all measures by code. It is filled from the groups, which do not refer to it.
var definitions = func() map[string]Definition {
	all := map[string]Definition{}
	for _, group := range [][]Definition{timelinessDefinitions, outcomeDefinitions, placeDefinitions, aroundDefinitions, policyDefinitions, formalismDefinitions, learningDefinitions} {
		for _, d := range group {
			all[d.Code] = d
		}
	}
	return all
}()

func definition(code string) Definition {
	d, ok := definitions[code]
	if !ok {
		panic("no definition of measure " + code)
	}
	return d
}
