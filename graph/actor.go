package graph

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"groundwork"
	"groundwork/graph/model"
)

// The headers that say who asks, where nobody has to prove it.
const (
	HeaderActor = "Groundwork-Actor" // an account, such as "hotline-7"
	HeaderRole  = "Groundwork-Role"  // one of the roles, CITIZEN if absent
	HeaderUnit  = "Groundwork-Unit"  // id of the actor's unit: the API's id or the UUID
	// HeaderOfficial is the id of the official behind the account, of those who hold posts: the API's id or the UUID.
	HeaderOfficial = "Groundwork-Official"
	// HeaderRegion holds ids of the regions that bound the role, with commas between them: the API's ids or UUIDs. Without it the role
	// reaches all regions, for nobody has bound it to any.
	HeaderRegion = "Groundwork-Region"
)

const maxActor = 200

// WithActor reads from the headers who asks, for groundwork.ActorFrom. Without headers it is an anonymous citizen; headers that make no sense
// are answered 400.
func WithActor(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		actor, err := actorOf(r.Header)
		if err != nil {
			refuse(w, err)
			return
		}
		next.ServeHTTP(w, r.WithContext(groundwork.WithActor(r.Context(), actor)))
	})
}

func actorOf(h http.Header) (groundwork.Actor, *groundwork.Error) {
	actor := groundwork.Anonymous
	if name := strings.TrimSpace(h.Get(HeaderActor)); name != "" {
		if len(name) > maxActor {
			return actor, groundwork.Invalid(HeaderActor, "header %s has %d bytes; give at most %d", HeaderActor, len(name), maxActor)
		}
		actor.ID = name
	}
	if role := groundwork.Role(h.Get(HeaderRole)); role != "" {
		if !slices.Contains(groundwork.Roles, role) {
			return actor, groundwork.Invalid(HeaderRole, "header %s: role %q is unknown; give one of %v", HeaderRole, role, groundwork.Roles)
		}
		actor.Role = role
	}
	if actor.Role != groundwork.RoleCitizen && actor.ID == groundwork.Anonymous.ID {
		return actor, groundwork.Invalid(HeaderActor, "role %s is not for the anonymous; give header %s", actor.Role, HeaderActor)
	}
	var err *groundwork.Error
	if actor.UnitID, err = idOf(h, HeaderUnit, model.TypeOrgUnit, "a unit"); err != nil {
		return actor, err
	}
	if actor.OfficialID, err = idOf(h, HeaderOfficial, model.TypeOfficial, "an official"); err != nil {
		return actor, err
	}
	actor.RegionIDs, err = regionsOf(h)
	actor.Everywhere = len(actor.RegionIDs) == 0
	return actor, err
}

const maxRegions = 100

func regionsOf(h http.Header) (regions []uuid.UUID, err *groundwork.Error) {
	text := h.Get(HeaderRegion)
	if text == "" {
		return nil, nil
	}
	parts := strings.Split(text, ",")
	if len(parts) > maxRegions {
		return nil, groundwork.Invalid(HeaderRegion, "header %s names %d regions; give at most %d", HeaderRegion, len(parts), maxRegions)
	}
	for _, part := range parts {
		id, err := parsedID(strings.TrimSpace(part), HeaderRegion, model.TypeRegion, "a region")
		if err != nil {
			return nil, err
		}
		regions = append(regions, *id)
	}
	return regions, nil
}

// idOf reads an id from a header.
func idOf(h http.Header, header, kind, what string) (*uuid.UUID, *groundwork.Error) {
	text := h.Get(header)
	if text == "" {
		return nil, nil
	}
	return parsedID(text, header, kind, what)
}

func parsedID(text, header, kind, what string) (*uuid.UUID, *groundwork.Error) {
	if id, err := uuid.Parse(text); err == nil {
		return &id, nil
	}
	if id, err := model.ParseID(text); err == nil && id.Type == kind {
		return &id.UUID, nil
	}
	return nil, groundwork.Invalid(header, "header %s: %q is no id of %s", header, text, what)
}

// refuse answers a request whose headers make no sense in the form of GraphQL over HTTP.
func refuse(w http.ResponseWriter, err *groundwork.Error) {
	w.Header().Set("Content-Type", "application/graphql-response+json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusBadRequest)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []any{map[string]any{
		"message": err.Message, "extensions": map[string]any{"code": err.Code, "field": err.Field},
	}}})
}
