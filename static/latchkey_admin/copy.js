// Shows the "Copy" buttons, which need a script, and makes them copy the text before them.
for (const button of document.querySelectorAll("button.copy")) {
  const text = button.parentElement.querySelector(".copy-text").textContent;
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text);
    button.textContent = button.dataset.copied;
  });
}
