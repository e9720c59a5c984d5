// Draws the API's documentation. Requests that are tried from it go with the session of this page.

const settings = JSON.parse(document.getElementById("swagger-settings").textContent);
const csrf = JSON.parse(document.body.getAttribute("hx-headers"))["X-CSRFToken"];

const root = document.documentElement;
const prefers = window.matchMedia("(prefers-color-scheme: dark)");
function follow() {
  const chosen = root.dataset.theme;
  root.classList.toggle("dark-mode", chosen ? chosen === "dark" : prefers.matches);
}
follow();
prefers.addEventListener("change", follow);
document.addEventListener("theme", follow);

window.SwaggerUIBundle({
  ...settings,
  dom_id: "#swagger-ui",
  presets: [window.SwaggerUIBundle.presets.apis],
  requestInterceptor: (request) => {
    request.headers["X-CSRFToken"] = csrf;
    return request;
  },
});
