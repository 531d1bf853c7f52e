package examples

import (
	"net/http"

	"github.com/gin-gonic/gin"
)

// Gin mounts a server in a router of gin, behind middleware.
func Gin() http.Handler {
	gin.SetMode(gin.ReleaseMode)
	r := gin.New()
	r.Use(gin.Recovery())
	r.Any("/engine.io/", gin.WrapH(echoServer()))
	return r
}
