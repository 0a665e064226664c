package messages

// Action is what happened to an entity, as events name it in their action field.
type Action string

// The actions of the built-in types. Every type has [Deleted]; which of the others it has, [Type.Actions] says.
const (
	Created   Action = "created"
	Updated   Action = "updated"
	Cancelled Action = "cancelled"
	Shipped   Action = "shipped"
	Delivered Action = "delivered"
	Deleted   Action = "deleted"
)
