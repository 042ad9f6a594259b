"""Addresses below ``/admin/``."""

from typing import Any

from django.urls import URLResolver, include, path

from careers.backoffice import (
    access_log,
    alert_list,
    application_detail,
    application_file,
    application_list,
    bulk_progress,
    export,
    file_pages,
    findings,
    health_page,
    pause_page,
    personal_data,
    process_table,
    quarantine,
    readdress,
    same_cause,
    schedules,
    snooze,
    task_acts,
    task_detail,
    task_list,
    unconfirmed,
)

tasks = [
    path("", task_list.TaskList.as_view(), name="index"),
    path("results/", task_list.TaskList.as_view(results_only=True), name="results"),
    path("retry-alike/", same_cause.ActOnAlike.as_view(), name="retry_alike"),
    path("alike/<slug:act>/", same_cause.ActOnAlike.as_view(), name="alike"),
    path("unconfirmed/", unconfirmed.UnconfirmedPage.as_view(), name="unconfirmed"),
    path("bulk/<int:bulk_id>/", bulk_progress.BulkProgress.as_view(), name="bulk"),
    path(
        "bulk/<int:bulk_id>/results/",
        bulk_progress.BulkProgress.as_view(results_only=True),
        name="bulk_results",
    ),
    path("alerts/", alert_list.AlertList.as_view(), name="alerts"),
    path(
        "alerts/results/",
        alert_list.AlertList.as_view(results_only=True),
        name="alerts_results",
    ),
    path("dismiss-advice/", findings.DismissAdvice.as_view(), name="dismiss_advice"),
    path("health/", health_page.HealthPage.as_view(), name="health"),
    path(
        "health/results/", health_page.HealthPage.as_view(results_only=True), name="health_results"
    ),
    path("health/forget/", process_table.ForgetWorker.as_view(), name="forget_worker"),
    path("pauses/", pause_page.PausePage.as_view(), name="pauses"),
    path("pauses/<int:pause_id>/resume/", pause_page.Resume.as_view(), name="resume"),
    path("run-now/", schedules.RunNow.as_view(), name="run_now"),
    path("<str:reference>/", task_detail.TaskDetail.as_view(), name="detail"),
    path(
        "<str:reference>/results/",
        task_detail.TaskDetail.as_view(results_only=True),
        name="detail_results",
    ),
    path("<str:reference>/release/", task_acts.Release.as_view(), name="release"),
    path(
        "<str:reference>/release-alike/",
        quarantine.ReleaseAlikeTasks.as_view(),
        name="release_alike",
    ),
    path(
        "<str:reference>/<int:step_id>/change-address/",
        readdress.ChangeAddress.as_view(),
        name="change_address",
    ),
    path("<str:reference>/<int:step_id>/snooze/", snooze.Snooze.as_view(), name="snooze"),
    path("<str:reference>/<int:step_id>/<slug:act>/", task_acts.StepAct.as_view(), name="act"),
]

applications = [
    path("", application_list.ApplicationList.as_view(), name="index"),
    path("results/", application_list.ApplicationList.as_view(results_only=True), name="results"),
    path("access-log/", access_log.AccessLog.as_view(), name="access_log"),
    path(
        "access-log/results/",
        access_log.AccessLog.as_view(results_only=True),
        name="access_log_results",
    ),
    path("personal-data/", personal_data.PersonalData.as_view(), name="personal_data"),
    path("<str:reference>/", application_detail.ApplicationDetail.as_view(), name="detail"),
    path("<str:reference>/stage/", application_detail.ChangeStage.as_view(), name="stage"),
    path("<str:reference>/export/", export.Export.as_view(), name="export"),
    path("<str:reference>/release/", application_detail.Release.as_view(), name="release"),
    path("<str:reference>/release-alike/", quarantine.ReleaseAlike.as_view(), name="release_alike"),
    path(
        "<str:reference>/files/<uuid:public_id>/",
        application_file.ApplicationFileView.as_view(),
        name="file",
    ),
    path(
        "<str:reference>/files/<uuid:public_id>/pages/",
        file_pages.FilePages.as_view(),
        name="pages",
    ),
    path(
        "<str:reference>/files/<uuid:public_id>/pages/<int:number>.png",
        file_pages.FilePage.as_view(),
        name="page",
    ),
    path(
        "<str:reference>/files/<uuid:public_id>/open-unscanned/",
        application_file.OpenUnscanned.as_view(),
        name="open_unscanned",
    ),
]


def admin_urls() -> list[Any]:
    """For Wagtail's hook ``register_admin_urls``."""
    found: list[URLResolver] = [
        path("tasks/", include((tasks, "careers_tasks"), namespace="careers_tasks")),
        path(
            "applications/",
            include((applications, "careers_applications"), namespace="careers_applications"),
        ),
    ]
    return found
