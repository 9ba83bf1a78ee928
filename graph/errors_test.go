package graph

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"groundwork/graph/model"
)

func TestMessagesNameThingsByTheirIDs(t *testing.T) {
	t.Parallel()
	row := uuid.MustParse("0184b9d1-1c00-743f-ae7a-ab61f6568f21")
	id := func(kind string) string { return model.ID{Type: kind, UUID: row}.String() }
	for message, want := range map[string]string{
		"unit " + row.String() + " is named twice":                                   "unit " + id(model.TypeOrgUnit) + " is named twice",
		"assessment of post " + row.String() + " stands at OPEN":                     "assessment of post " + id(model.TypePostHolding) + " stands at OPEN",
		"discussion post " + row.String() + " does not exist":                        "discussion post " + id(model.TypeDiscussionPost) + " does not exist",
		"opinion " + row.String() + " belongs to issue " + row.String() + " already": "opinion " + id(model.TypeOpinion) + " belongs to issue " + id(model.TypeIssue) + " already",
		"there is no API key " + row.String():                                        "there is no API key " + row.String(),
		"issue GW-YGS146S stands at CLOSED":                                          "issue GW-YGS146S stands at CLOSED",
	} {
		require.Equal(t, want, named(message))
	}
}
