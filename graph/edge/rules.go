package edge

import (
	"github.com/vektah/gqlparser/v2/validator/core"
	"github.com/vektah/gqlparser/v2/validator/rules"
)

// rulesWithoutSuggestions are the validation rules without "Did you mean …", which spells out a hidden schema word by word.
// gqlgen's SetDisableSuggestion exchanges two of the five rules that suggest; these are the other three.
func rulesWithoutSuggestions() *rules.Rules {
	r := rules.NewDefaultRules()
	for _, mute := range []core.Rule{
		rules.KnownArgumentNamesRuleWithoutSuggestions,
		rules.KnownTypeNamesRuleWithoutSuggestions,
		rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
	} {
		r.RemoveRule(mute.Name[:len(mute.Name)-len("WithoutSuggestions")])
		r.AddRule(mute.Name, mute.RuleFunc)
	}
	return r
}
