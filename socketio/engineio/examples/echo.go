package examples

import (
	"net/http"

	framework "github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
)

// Echo mounts a server in a router of echo, behind middleware.
func Echo() http.Handler {
	e := framework.New()
	e.Use(middleware.Recover(), middleware.RequestID())
	e.Any("/engine.io/", framework.WrapHandler(echoServer()))
	return e
}
