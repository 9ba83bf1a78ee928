package model

import "groundwork"

// Glass is a glass that was broken.
type Glass groundwork.Glass

// GlobalID is what the API calls id.
func (g *Glass) GlobalID() ID { return ID{TypeGlass, g.ID} }

// TypeGlass is the name of the type in global ids.
const TypeGlass = "Glass"

// GlassPayload is what breaking or revoking answers.
type GlassPayload struct {
	Glass            *Glass
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}

// RateLimit is what the caller may still ask for.
type RateLimit groundwork.Allowance

// The connections by name.
type (
	GlassConnection = Connection[Glass]
	GlassEdge       = Edge[Glass]
)
