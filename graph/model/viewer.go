package model

import "groundwork"

// Viewer is who asks.
type Viewer struct {
	Account string
	Role    groundwork.Role
	Actor   groundwork.Actor
}

// Notification is something that somebody is told.
type Notification groundwork.Notification

// GlobalID is what the API calls id.
func (n *Notification) GlobalID() ID { return ID{TypeNotification, n.ID} }

// TypeNotification is the name of the type in global ids.
const TypeNotification = "Notification"

// Permission is something that a role may ask for.
type Permission struct {
	Operation string
	Scope     groundwork.Scope
}

// SimilarIssue is an open issue that a matter may repeat.
type SimilarIssue struct {
	Issue       *Issue
	Score, Text float64
	Near        bool
}

// BulkIssuePayload is what a step for many issues answers.
type BulkIssuePayload struct {
	Results          []BulkIssueResult
	Done             int
	UserErrors       []UserError
	Consistency      *string
	ClientMutationID *string
}

// BulkIssueResult is what became of one of them.
type BulkIssueResult struct {
	Issue      *Issue
	UserErrors []UserError
}

// The connections by name.
type (
	NotificationConnection = Connection[Notification]
	NotificationEdge       = Edge[Notification]
)
