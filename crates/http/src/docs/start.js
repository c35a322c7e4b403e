SwaggerUIBundle({
  url: "{path}/api/schema/",
  dom_id: "#docs",
  deepLinking: true,
  displayRequestDuration: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  // Nobody elsewhere is asked whether the document is valid.
  validatorUrl: null,
});
