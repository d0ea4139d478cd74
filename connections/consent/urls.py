"""The widget's addresses. The callback carries the provider app, so that each has a redirect URI of its own."""

from django.urls import path, register_converter

from connections.consent import (
    callback_views,
    device_views,
    icon_views,
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
