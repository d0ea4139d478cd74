// A session that leads nowhere any more, in a frame: the page around it learns why when the person has read it.
"use strict";
letLeave(() => tell({ event: "exit", error: document.getElementById("problem").dataset.failure }));
greet();
