package model

// IssueChange is an issue to which something happened.
type IssueChange struct {
	Issue  *Issue
	Cursor string
}

// WorklistChange is what changed on a worklist.
type WorklistChange struct {
	Waiting []Issue
	Gone    []ID
	Cursor  string
}

// NotificationTold is something that the viewer is told.
type NotificationTold struct {
	Notification *Notification
	Cursor       string
}
