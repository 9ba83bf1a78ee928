package model

import (
	"github.com/google/uuid"

	"groundwork"
)

// Surveys, discussions and the policies of visits, under their global ids.
type (
	SurveyWave      groundwork.SurveyWave
	Discussion      groundwork.Discussion
	DiscussionPost  groundwork.DiscussionPost
	VisitPolicyItem groundwork.VisitPolicyItem

	SurveyWaveConnection     = Connection[SurveyWave]
	SurveyWaveEdge           = Edge[SurveyWave]
	DiscussionConnection     = Connection[Discussion]
	DiscussionEdge           = Edge[Discussion]
	DiscussionPostConnection = Connection[DiscussionPost]
	DiscussionPostEdge       = Edge[DiscussionPost]
)

// The names of the types in global ids.
const (
	TypeSurveyWave     = "SurveyWave"
	TypeDiscussion     = "Discussion"
	TypeDiscussionPost = "DiscussionPost"
)

func (*SurveyWave) IsNode()     {}
func (*Discussion) IsNode()     {}
func (*DiscussionPost) IsNode() {}

// GlobalID is what the API calls id.
func (w *SurveyWave) GlobalID() ID { return ID{TypeSurveyWave, w.ID} }

// GlobalID is what the API calls id.
func (d *Discussion) GlobalID() ID { return ID{TypeDiscussion, d.ID} }

// GlobalID is what the API calls id.
func (p *DiscussionPost) GlobalID() ID { return ID{TypeDiscussionPost, p.ID} }

// SurveyCell is what was said in one place, small numbers hidden.
type SurveyCell struct {
	RegionID                  *uuid.UUID
	SiteKind                  *groundwork.SiteKind
	Responses                 *int64
	Suppressed                bool
	Gain, Happiness, Security SurveyShare
}
