// Draws the API's documentation. Requests that are tried from it go with the session of this page.

const settings = JSON.parse(document.getElementById("swagger-settings").textContent);
const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

window.SwaggerUIBundle({
  ...settings,
  dom_id: "#swagger-ui",
  presets: [window.SwaggerUIBundle.presets.apis],
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = csrf;
    return request;
  },
});
