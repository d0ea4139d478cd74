// The return page of a window of its own: tells the page that waits for it, and closes if that has heard.
"use strict";
const { session, connection, error } = document.getElementById("returned").dataset;
Latchkey.returned({ connect_session: session, connection, error });
