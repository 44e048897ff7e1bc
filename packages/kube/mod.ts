/** The door of @sipcast/kube: requests to the API server, list-and-watch, lease. */
export {}
