// What needs a script shows where there is one.
for (const part of document.querySelectorAll(".needs-script")) part.hidden = false;
// allauth's script reports here when a passkey or key does not answer; else only the console would know.
document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  document.getElementById("passkey-failed").hidden = false;
});
