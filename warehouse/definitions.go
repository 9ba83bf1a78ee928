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
	Source            string // of the definition and its methods: the literature, and whose practice
	Method            string // in one line, as answers carry it
	Caveats           []string
	Weights           map[string]float64 // of the measures that a composite is made of
	Former            []Former           // versions that can still be asked for
}

// Former is an earlier version of a definition, by which figures can still be computed (Question.Version).
type Former struct {
	Version string
	Differs string // how it differs from the version after it
	Method  string // in one line, as answers carry it
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
	for _, group := range [][]Definition{timelinessDefinitions, outcomeDefinitions, repeatDefinitions, placeDefinitions, aroundDefinitions, policyDefinitions, formalismDefinitions, learningDefinitions} {
		for _, d := range group {
			all[d.Code] = d
		}
	}
	return all
}()

// versioned is the definition of a measure as a version had it; "" = the latest.
func versioned(code, version string) (Definition, error) {
	d := definition(code)
	if version == "" || version == d.Version {
		return d, nil
	}
	for _, f := range d.Former {
		if f.Version == version {
			d.Version, d.Method = f.Version, f.Method
			return d, nil
		}
	}
	return d, invalid("Version", "%s cannot be computed by version %.20q of its definition any more; the latest is %s", code, version, d.Version)
}

// Computes reports whether figures of a version can still be computed.
func (d Definition) Computes(version string) bool {
	_, err := versioned(d.Code, version)
	return err == nil
}

func definition(code string) Definition {
	d, ok := definitions[code]
	if !ok {
		panic("no definition of measure " + code)
	}
	return d
}
