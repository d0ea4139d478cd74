"""The widget's addresses. The callback carries the provider app, so that each has a redirect URI of its own."""

from django.urls import path, register_converter

from connections.consent import (
    approval_views,
    callback_views,
    device_views,
    icon_views,
    manage_views,
    mend_views,
    outcome_views,
    picture_views,
    preview_views,
    script_views,
    views,
    workspace_views,
)

register_converter(picture_views.PictureConverter, "picture")

app_name = "connect"
urlpatterns = [
    path("callback/<uuid:app_id>", callback_views.callback, name="callback"),
    path("callback/<uuid:app_id>/<str:failure>", callback_views.show_refusal, name="refused"),
    path("preview", preview_views.preview, name="preview"),
    path("icon/<str:colour>/<str:letters>.svg", icon_views.icon, name="icon"),
    path("mend/<uuid:connection_id>/<str:proof>", mend_views.mend, name="mend"),
    path("mend/<uuid:connection_id>/<str:proof>/<picture:name>", mend_views.picture, name="mend-picture"),
    path("approve/<uuid:approval_id>/<str:proof>", approval_views.asked, name="asked"),
    path("approve/<uuid:approval_id>/<str:proof>/<picture:name>", approval_views.picture, name="asked-picture"),
    path("manage/<uuid:session_id>", manage_views.entrance, name="manage"),
    path("manage/<uuid:session_id>/start", manage_views.start, name="manage-start"),
    path("manage/<uuid:session_id>/connections", manage_views.show_list, name="manage-list"),
    path("manage/<uuid:session_id>/connect", manage_views.connect, name="manage-connect"),
    path("manage/<uuid:session_id>/done", manage_views.done, name="manage-done"),
    path("manage/<uuid:session_id>/approvals/<uuid:approval_id>", manage_views.approve, name="manage-approve"),
    path("manage/<uuid:session_id>/<picture:name>", manage_views.picture, name="manage-picture"),
    path("manage/<uuid:session_id>/<uuid:connection_id>", manage_views.show_one, name="manage-one"),
    path("manage/<uuid:session_id>/<uuid:connection_id>/receipts", manage_views.show_receipts, name="manage-receipts"),
    path("manage/<uuid:session_id>/<uuid:connection_id>/name", manage_views.rename, name="manage-rename"),
    path("manage/<uuid:session_id>/<uuid:connection_id>/default", manage_views.prefer, name="manage-prefer"),
    path("manage/<uuid:session_id>/<uuid:connection_id>/reconnect", manage_views.reconnect, name="manage-reconnect"),
    path("manage/<uuid:session_id>/<uuid:connection_id>/disconnect", manage_views.disconnect, name="manage-disconnect"),
    path(
        "manage/<uuid:session_id>/<uuid:connection_id>/grants/<uuid:grant_id>",
        manage_views.end_grant,
        name="manage-end-grant",
    ),
    path("v1/connect.js", script_views.script, {"name": "connect.js"}, name="script"),
    path("v1/connect.d.ts", script_views.script, {"name": "connect.d.ts"}, name="types"),
    path("<uuid:session_id>", views.landing, name="landing"),
    path("<uuid:session_id>/<picture:name>", picture_views.picture, name="picture"),
    path("operator/<picture:name>", picture_views.operators_picture, name="operators-picture"),
    path("<uuid:session_id>/start", views.start, name="start"),
    path("<uuid:session_id>/choose", views.choose, name="choose"),
    path("<uuid:session_id>/method/<uuid:app_id>", views.method, name="method"),
    path("<uuid:session_id>/device", device_views.page, name="device"),
    path("<uuid:session_id>/device/state", device_views.state, name="device-state"),
    path("<uuid:session_id>/finish", views.try_again, name="finish"),
    path("<uuid:session_id>/outcome", outcome_views.outcome, name="outcome"),
    path("<uuid:session_id>/outcome/<str:failure>", outcome_views.show_unchanged, name="unchanged"),
    path("<uuid:session_id>/workspace", workspace_views.workspace, name="workspace"),
]
